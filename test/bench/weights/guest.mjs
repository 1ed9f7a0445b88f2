// Layers and whole models with weights of few bits against the same in int8, on one build of the core: answers checked
// first, then timed in turn, in many short rounds; minima, as ratios, and the bytes of the constants beside them. After
// a build:
//   node test/bench/weights/guest.mjs [simd|relaxed] [filter | models | models:mbv2] [int4,codebook,…] [loops: 0, 1 narrow, 2 sums in int16] [--json]
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { evaluate } from "../../../dist/tools/evaluate/reference.js";
import { importModel } from "../../../dist/tools/import/index.js";
import { buildImage } from "../../../dist/tools/pack/image.js";
import { parseWeights } from "../../../dist/tools/quantize/precision.js";
import { recodeWeights } from "../../../dist/tools/quantize/weights.js";
import { graphOf, int8, LAYERS } from "../layerShapes.mjs";
import { exists, pathOf } from "../places.mjs";

export const CHOICES = ["int4", "int4:g32", "codebook", "codebook:5", "ternary", "binary"];
const ROUNDS = 12;
const ROUND_MS = 4;

/** Pointwise, dense and k×k layers of the models: what has weights worth coding. */
const layers = (filter) => LAYERS.filter(([name, op]) => op !== "depthwiseConv2d" && name.includes(filter));

/** The models of the bench that are here, as graphs. */
const models = (only) =>
  ["kws", "vww", "resnet", "ad01", "strww", "mbv2"]
    .filter((name) => (!only || name === only) && exists(`/peers/models/${name}_int8.tflite`))
    .map((name) => ({
      ...importModel(readFileSync(pathOf(`/peers/models/${name}_int8.tflite`)), `${name}.tflite`),
      name,
    }));

/** The layer with the signs of its activations and weights of one bit: binaryConv2d. */
function fullyBinary(graph) {
  const { tensors, nodes } = recodeWeights(graph, { default: parseWeights("binary", "choice"), layers: [] });
  const cells = (shape) => (shape.length === 4 ? shape : [shape[0], 1, 1, shape[1]]);
  const attrs = { strideH: 1, strideW: 1, padding: { top: 0, bottom: 0, left: 0, right: 0 }, ...nodes[0].attrs };
  return {
    ...graph,
    tensors: tensors.map((tensor) => (tensor.shape.length === 2 ? { ...tensor, shape: cells(tensor.shape) } : tensor)),
    nodes: [{ ...nodes[0], op: "binaryConv2d", attrs }],
  };
}

function withChoice(graph, choice) {
  if (choice === "int8") return graph;
  if (choice === "signs") return fullyBinary(graph);
  return recodeWeights(graph, { default: parseWeights(choice, "choice"), layers: [] });
}

/** @param each called with { name, macs, choices: { int8: { ms, bytes }, … } } of each layer whose name has `filter` */
export function benchWeights(build, filter, choices, each, loops) {
  const module = new WebAssembly.Module(readFileSync(new URL(`../../../dist/core/${build}.wasm`, import.meta.url)));
  for (const graph of filter.startsWith("models") ? models(filter.slice(7)) : layers(filter).map(graphOf)) {
    const input = int8(graph.tensors[0].shape.reduce((a, b) => a * b));
    const cores = ["int8", ...choices].map((choice) => {
      return { choice, ...start(module, withChoice(graph, choice), input, loops), best: Number.POSITIVE_INFINITY };
    });
    for (let round = 0; round <= ROUNDS; round++) {
      for (const core of cores) {
        const ms = shortest(core.run, filter.startsWith("models") ? 10 * ROUND_MS : ROUND_MS);
        if (round > 0) core.best = Math.min(core.best, ms);
      }
    }
    each({
      name: graph.name,
      macs: cores[0].macs,
      choices: Object.fromEntries(
        cores.map(({ choice, best, bytes, memory, repeats }) => [choice, { ms: best / repeats, bytes, memory }]),
      ),
    });
  }
}

/** A quarter of the round warms, so that one alternative's caches are not the next one's loss. */
function shortest(run, roundMs) {
  let best = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (;;) {
    const before = performance.now();
    if (before - begin > roundMs) return best;
    run();
    const after = performance.now();
    if (after - begin > roundMs / 4) best = Math.min(best, after - before);
  }
}

function start(module, graph, input, loops) {
  const image = buildImage(graph);
  const core = new WebAssembly.Instance(module, {}).exports;
  const base = Math.ceil(core.heapBase() / 64) * 64;
  core.memory.grow(Math.ceil((base + image.totalBytes + 64) / 65536) - 1);
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(image.bytes, base);
  if (core.load(base, image.totalBytes + 64) !== 0) throw new Error(`${graph.name}: the core refused the plan`);
  if (loops !== undefined) core.useNarrow(loops);
  const view = new DataView(core.memory.buffer);
  memory.set(new Uint8Array(input.buffer), base + view.getUint32(base + view.getUint32(base + 32, true), true));
  core.run();
  const place = base + view.getUint32(base + 32, true) + 8;
  const out = base + view.getUint32(place, true);
  const output = memory.slice(out, out + view.getUint32(place + 4, true));
  const signed = graph.tensors[graph.inputs[0]].dtype !== "uint8";
  const want = new Uint8Array(evaluate(graph, [signed ? input : new Uint8Array(input.buffer)])[0].buffer);
  if (output.some((q, i) => q !== want[i])) throw new Error(`${graph.name}: wrong answer`);
  const macs = image.lowered.steps.reduce((sum, step) => sum + (step.macs ?? 0), 0);
  const bytes = image.lowered.params.reduce((sum, blob) => sum + blob.length, 0);
  // small layers: so many runs that the clock is not what is timed
  const repeats = Math.max(1, Math.ceil(1e6 / macs));
  const run = () => {
    for (let i = 0; i < repeats; i++) core.run();
  };
  return { macs, run, bytes, repeats, memory: image.totalBytes };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const json = process.argv.at(-1) === "--json";
  const [build = "simd", filter = "", list, loops] = process.argv.slice(2, json ? -1 : undefined);
  const choices = list?.split(",") ?? CHOICES;
  const rows = [];
  const logs = choices.map(() => 0);
  const row = (result) => {
    rows.push(result);
    if (json) return;
    const { name, macs, choices: times } = result;
    const cells = choices.map((choice, i) => {
      const ratio = times.int8.ms / times[choice].ms;
      logs[i] += Math.log(ratio);
      return `${ratio.toFixed(2)}× ${Math.round((100 * times[choice].bytes) / times.int8.bytes)}%`.padStart(12);
    });
    console.log(`${name.padEnd(18)} ${(macs / times.int8.ms / 1e6).toFixed(1).padStart(7)}  ${cells.join("")}`);
  };
  if (!json)
    console.log(
      `${"layer".padEnd(18)} ${"int8".padStart(7)}  ${choices.map((choice) => choice.padStart(12)).join("")}`,
    );
  benchWeights(build, filter, choices, row, loops === undefined || loops === "" ? undefined : Number(loops));
  const means = logs.map((log) => `${Math.exp(log / rows.length).toFixed(2)}×    `.padStart(12));
  console.log(json ? JSON.stringify(rows) : `${"geometric mean".padEnd(26)}  ${means.join("")}`);
}
