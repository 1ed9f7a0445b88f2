// One process of the sparse bench: node guest.mjs BUILD. Times each layer dense and at every density, in turn, each answer
// checked against the integer reference before it is timed; prints one JSON list.
import { readFileSync } from "node:fs";
import { evaluate } from "../../../dist/tools/evaluate/reference.js";
import { buildImage } from "../../../dist/tools/pack/image.js";
import { winogradWaste } from "../../../dist/tools/pack/winograd.js";
import { int8 } from "../layerShapes.mjs";
import { LAYERS, layerWith, ZEROS } from "./layers.mjs";

const ROUNDS = 40;
const CHUNK_MACS = 2e6;
const MOST = 2 ** 30;

const [build] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(new URL(`../../../dist/core/${build}.wasm`, import.meta.url)));

function load(graph, sparsity, input, want) {
  const image = buildImage(graph, MOST, sparsity);
  const [step] = image.lowered.steps;
  const core = new WebAssembly.Instance(module, {}).exports;
  const base = Math.ceil(core.heapBase() / 64) * 64;
  core.memory.grow(Math.ceil((base + image.totalBytes + 64) / 65536) - 1);
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(image.bytes, base);
  if (core.load(base, image.totalBytes + 64) !== 0) throw new Error(`${graph.name}: the core refused the plan`);
  const view = new DataView(core.memory.buffer);
  memory.set(new Uint8Array(input.buffer), base + view.getUint32(base + 64, true));
  core.run();
  const at = base + view.getUint32(base + 72, true);
  if (want.some((q, i) => q !== view.getInt8(at + i))) throw new Error(`${graph.name}, ${sparsity}: wrong answer`);
  return {
    run: core.run,
    kernel: step.kernelName,
    paramBytes: image.lowered.params[step.params.index].length,
    totalBytes: image.totalBytes,
    outputs: want.length,
    macs: step.macs,
  };
}

const results = [];
for (const layer of LAYERS) {
  const runs = [];
  const input = int8(layer[2] * layer[3] * layer[4]);
  for (const bits of [8, 4])
    for (const zeros of ZEROS) {
      const graph = layerWith(layer, zeros, bits);
      const [want] = evaluate(graph, [input]);
      if (zeros === 0) runs.push({ zeros, bits, kind: "dense", ...load(graph, "never", input, want) });
      runs.push({ zeros, bits, kind: "sparse", ...load(graph, "always", input, want) });
      runs.at(-1).chosen = buildImage(graph).lowered.steps[0].kernelName;
    }
  for (const run of runs) run.repeats = Math.max(1, Math.ceil((CHUNK_MACS / run.macs) * (run.zeros > 0.5 ? 3 : 1)));
  const best = runs.map(() => Infinity);
  for (let round = -10; round < ROUNDS; round++)
    for (const [i, { run, repeats }] of runs.entries()) {
      const start = performance.now();
      for (let n = 0; n < repeats; n++) run();
      if (round >= 0) best[i] = Math.min(best[i], (performance.now() - start) / repeats);
    }
  results.push({
    name: layer[0],
    op: layer[1],
    waste: layer[1] === "conv2d" ? winogradWaste(layerWith(layer, 0, 8).tensors.at(-1)) : undefined,
    line: layer[1] === "fullyConnected" ? 1 : layer[6] === 1 ? layer[2] * layer[3] : Math.ceil(layer[3] / layer[8]),
    runs: runs.map(({ run, repeats, ...rest }, i) => ({ ...rest, ms: best[i] })),
  });
}
console.log(JSON.stringify(results));
