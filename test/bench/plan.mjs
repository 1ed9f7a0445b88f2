// What is measured: for an engine and a model, the entries (a peer, a variant, a build) and the task of each.

/** @returns tasks, in the order in which each round runs them */
export function plan(engine, model, { peers, builds, warmSeconds, seconds }) {
  const tasks = entriesOf(engine, model, peers, builds);
  return tasks.map((entry) => ({
    ...entry,
    engine: engine.name,
    model: model.name,
    expected: model.expected,
    warmSeconds,
    seconds,
    key: [engine.name, model.name, entry.peer, entry.variant, entry.build].filter(Boolean).join(" "),
  }));
}

function entriesOf(engine, model, peers, builds) {
  const { file, float } = model;
  const raw = file && `/peers/inputs/${file}.nhwc.q.bin`;
  const real = file && `/peers/inputs/${file}.nhwc.f32.bin`;
  if (engine.name === "native")
    return file ? engine.variants.map((variant) => ({ peer: "native", variant, file })) : [];

  const able = builds.filter((build) => build !== "relaxed" || engine.hasRelaxed);
  const entries = able.map((variant) => ({
    peer: "mote",
    variant,
    modelFile: model.moteFile,
    input: raw,
    golden: model.golden,
  }));
  // where it is more than int8 by another name
  if (engine.hasRelaxed)
    entries.push({ peer: "mote", variant: "int7", modelFile: model.sevenFile, input: raw, golden: model.sevenGolden });
  if (!file) return entries;
  const fastest = engine.hasRelaxed ? "relaxed" : "simd";
  if (peers.includes("litert")) {
    for (const build of new Set([fastest, "simd"]))
      entries.push({
        peer: "litert",
        variant: "int8",
        build,
        modelFile: `/peers/models/${file}_u8io.tflite`,
        input: raw,
      });
    if (model.hasFloat)
      entries.push(
        asFloat({ peer: "litert", build: fastest, modelFile: `/peers/models/${float}.tflite`, input: real }),
      );
  }
  if (peers.includes("ort")) {
    const input = `/peers/inputs/${file}.nchw.u8.bin`;
    entries.push({ peer: "ort", variant: "int8", modelFile: `/peers/onnx/${file}_qdq_u8.onnx`, input });
    if (model.floatOnnx) entries.push(asFloat({ peer: "ort", modelFile: model.floatOnnx, input: real }));
  }
  if (peers.includes("tfjs") && model.hasLayers)
    entries.push(asFloat({ peer: "tfjs", modelFile: `/peers/tfjs/${file}`, input: real }));
  return entries;
}

const asFloat = (entry) => ({ ...entry, variant: "fp32", float: true });

const NAMES = { mote: "Mote", litert: "LiteRT.js", ort: "ORT-web", tfjs: "tfjs-wasm" };

const NATIVE = { xnnpack: "native XNNPACK int8", ort: "native ORT int8" };

/** "LiteRT.js int8 relaxed", "Mote simd". */
export function labelOf({ peer, variant, build }) {
  if (peer === "native") return NATIVE[variant];
  return [NAMES[peer], (peer !== "mote" || variant === "int7") && variant, build].filter(Boolean).join(" ");
}
