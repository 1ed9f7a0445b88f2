// Layers with weights of few bits against the same layers in int8, on one build of the core: answers checked first, then
// timed in turn, in many short rounds; minima, as ratios. `npm run bench -- --weights int4,codebook` does it for every
// build; alone, after a build:
//   node test/bench/weights.mjs [simd|relaxed] [filter] [int4,codebook,…] [loops: 0, 1 narrow, 2 sums in int16]
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { evaluate } from "../../dist/tools/evaluate/reference.js";
import { buildImage } from "../../dist/tools/pack/image.js";
import { parseWeights } from "../../dist/tools/quantize/precision.js";
import { recodeWeights } from "../../dist/tools/quantize/weights.js";
import { graphOf, int8, LAYERS } from "./layerShapes.mjs";

export const CHOICES = ["int4", "int4:g32", "codebook", "codebook:5", "ternary", "binary"];
const ROUNDS = 12;
const ROUND_MS = 4;

/** Pointwise, dense and k×k layers of the models: what has weights worth coding. */
const layers = (filter) => LAYERS.filter(([name, op]) => op !== "depthwiseConv2d" && name.includes(filter));

/** @param each called with { name, macs, choices: { int8: { ms, bytes }, … } } of each layer whose name has `filter` */
export function benchWeights(build, filter, choices, each, loops) {
  const module = new WebAssembly.Module(readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url)));
  for (const layer of layers(filter)) {
    const graph = graphOf(layer);
    const input = int8(graph.tensors[0].shape.reduce((a, b) => a * b));
    const cores = ["int8", ...choices].map((choice) => {
      const coded =
        choice === "int8" ? graph : recodeWeights(graph, { default: parseWeights(choice, "choice"), layers: [] });
      return { choice, ...start(module, coded, input, loops), best: Number.POSITIVE_INFINITY };
    });
    for (let round = 0; round <= ROUNDS; round++) {
      for (const core of cores) {
        const ms = shortest(core.run);
        if (round > 0) core.best = Math.min(core.best, ms);
      }
    }
    each({
      name: graph.name,
      macs: cores[0].macs,
      choices: Object.fromEntries(cores.map(({ choice, best, bytes }) => [choice, { ms: best, bytes }])),
    });
  }
}

/** A quarter of the round warms, so that one alternative's caches are not the next one's loss. */
function shortest(run) {
  let best = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (;;) {
    const before = performance.now();
    if (before - begin > ROUND_MS) return best;
    run();
    const after = performance.now();
    if (after - begin > ROUND_MS / 4) best = Math.min(best, after - before);
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
  memory.set(new Uint8Array(input.buffer), base + view.getUint32(base + 64, true));
  core.run();
  const out = base + view.getUint32(base + 72, true);
  const output = new Int8Array(memory.slice(out, out + view.getUint32(base + 76, true)).buffer);
  const [want] = evaluate(graph, [input]);
  if (output.some((q, i) => q !== want[i])) throw new Error(`${graph.name}: wrong answer`);
  const [step] = image.lowered.steps;
  const { macs, params } = step;
  // small layers: so many runs that the clock is not what is timed
  const repeats = Math.max(1, Math.ceil(1e6 / macs));
  const run = () => {
    for (let i = 0; i < repeats; i++) core.run();
  };
  return { macs: macs * repeats, run, bytes: image.lowered.params[params.index].length };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [build = "simd", filter = "", list, loops] = process.argv.slice(2);
  const choices = list?.split(",") ?? CHOICES;
  console.log(`${"layer".padEnd(18)} ${"int8".padStart(7)}  ${choices.map((choice) => choice.padStart(12)).join("")}`);
  const logs = choices.map(() => 0);
  let count = 0;
  const row = ({ name, macs, choices: times }) => {
    const cells = choices.map((choice, i) => {
      const ratio = times.int8.ms / times[choice].ms;
      logs[i] += Math.log(ratio);
      return `${ratio.toFixed(2)}× ${Math.round((100 * times[choice].bytes) / times.int8.bytes)}%`.padStart(12);
    });
    count++;
    console.log(`${name.padEnd(18)} ${(macs / times.int8.ms / 1e6).toFixed(1).padStart(7)}  ${cells.join("")}`);
  };
  benchWeights(build, filter, choices, row, loops === undefined ? undefined : Number(loops));
  console.log(
    `${"geometric mean".padEnd(26)}  ${logs.map((log) => `${Math.exp(log / count).toFixed(2)}×    `.padStart(12)).join("")}`,
  );
}
