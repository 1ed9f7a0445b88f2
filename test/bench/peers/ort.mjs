// ONNX Runtime Web, the wasm-only bundle, one thread: int8 as QDQ nets with uint8 activations, the form that it
// fuses fully, or float32 nets. Inputs are NCHW.
const PACKAGE = "/packages/onnxruntime-web/dist/";

export function input({ float, expected }, bytes) {
  if (!float) return new Uint8Array(bytes);
  const data = new Float32Array(bytes);
  const [, h, w, c] = expected.shapeNhwc;
  return c === undefined ? data : toNchw(data, h * w, c);
}

function toNchw(data, pixels, channels) {
  const turned = new Float32Array(data.length);
  for (let p = 0; p < pixels; p++) for (let c = 0; c < channels; c++) turned[c * pixels + p] = data[p * channels + c];
  return turned;
}

export async function open({ modelFile, float, expected }, io, data) {
  const node = io.engine === "node";
  // what "onnxruntime-web/wasm" means in Node, and what a page loads with the wasm beside it
  const ort = await import(io.url(`${PACKAGE}${node ? "ort.wasm.bundle.min.mjs" : "ort.wasm.min.mjs"}`));
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  if (!node) ort.env.wasm.wasmPaths = PACKAGE;
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const source = node ? new Uint8Array(await io.bytes(modelFile)) : modelFile;
  const session = await ort.InferenceSession.create(source, options);
  const tensor = new ort.Tensor(float ? "float32" : "uint8", data, expected.shapeNchw);
  const feeds = { [session.inputNames[0]]: tensor };
  let outputs;
  return {
    async run() {
      outputs = await session.run(feeds);
    },
    output: () => outputs[session.outputNames[0]].data,
  };
}
