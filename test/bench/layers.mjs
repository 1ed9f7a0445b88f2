// Times single layers, with the shapes of the benchmark models, on one build of the core.
// Checks each answer against the integer reference before it times it. `npm run bench -- --layers` does it for
// every build; alone:
//   node test/bench/layers.mjs [simd|scalar] [filter]
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { evaluate } from "../../dist/tools/evaluate/reference.js";
import { buildImage } from "../../dist/tools/pack/image.js";
import { graphOf, int8, LAYERS } from "./layerShapes.mjs";
import { peak } from "./peers/peak.mjs";

const WARM_MS = 60;
const TIMED_MS = 150;

/** @param each called with { name, op, macs, ms, macsPerNs } of each layer whose name has `filter` */
export function benchLayers(build, filter, each) {
  const module = new WebAssembly.Module(readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url)));
  for (const layer of LAYERS.filter(([name]) => name.includes(filter))) {
    const graph = graphOf(layer);
    const input = int8(graph.tensors[0].shape.reduce((a, b) => a * b));
    const { core, output, macs } = load(module, graph, input);
    const [want] = evaluate(graph, [input]);
    if (output.some((q, i) => q !== want[i])) throw new Error(`${graph.name}: wrong answer`);
    const ms = fastest(() => core.run(), Math.max(1, Math.ceil(2e6 / macs)));
    each({ name: graph.name, op: layer[1], macs, ms, macsPerNs: macs / ms / 1e6 });
  }
}

function fastest(run, repeats) {
  const warm = performance.now();
  while (performance.now() - warm < WARM_MS) run();
  let best = Infinity;
  const end = performance.now() + TIMED_MS;
  while (performance.now() < end) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) run();
    best = Math.min(best, (performance.now() - start) / repeats);
  }
  return best;
}

function load(module, graph, input) {
  const image = buildImage(graph);
  const core = new WebAssembly.Instance(module, {}).exports;
  const base = Math.ceil(core.heapBase() / 64) * 64;
  core.memory.grow(Math.ceil((base + image.totalBytes + 64) / 65536) - 1);
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(image.bytes, base);
  if (core.load(base, image.totalBytes + 64) !== 0) throw new Error(`${graph.name}: the core refused the plan`);
  const view = new DataView(core.memory.buffer);
  memory.set(new Uint8Array(input.buffer), base + view.getUint32(base + 64, true));
  core.run();
  const out = base + view.getUint32(base + 72, true);
  return {
    core,
    output: new Int8Array(memory.slice(out, out + view.getUint32(base + 76, true)).buffer),
    macs: image.lowered.steps[0].macs,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [build = "simd", filter = ""] = process.argv.slice(2);
  const { dot } = peak({ seconds: 1 });
  console.log(`${"layer".padEnd(20)} ${"GMAC/s".padStart(7)} ${"µs".padStart(9)}   of the peak, ${dot.toFixed(1)}`);
  benchLayers(build, filter, ({ name, ms, macsPerNs }) => {
    const part = `${Math.round((100 * macsPerNs) / dot)} %`;
    console.log(
      `${name.padEnd(20)} ${macsPerNs.toFixed(1).padStart(7)} ${(ms * 1000).toFixed(1).padStart(9)} ${part.padStart(7)}`,
    );
  });
}
