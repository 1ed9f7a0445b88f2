// Runs models on the machine that it finds itself on, and prints what came out, for test/arm/arm64.test.ts.
//   node guest.mjs model.mote …
import { readFileSync } from "node:fs";
import { loadModel } from "../../dist/host/targets/node.js";

const LENGTHS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, float32: Float32Array };

/** Every byte in turn, in an order that no picture has. */
const fill = (dtype, count, seed) =>
  LENGTHS[dtype].from({ length: count }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24);

const outputs = {};
/** what the host takes by itself */
let chosen = "";
for (const path of process.argv.slice(2)) {
  const model = await loadModel(readFileSync(path));
  outputs[path] = {};
  const own = await model.createSession();
  chosen = own.build;
  own.dispose();
  for (const build of ["relaxed", "simd", "scalar"]) {
    // Node 20 has no such instructions
    if (build === "relaxed" && process.versions.node.startsWith("20.")) continue;
    const session = await model.createSession({ build });
    const runs = [session.selfTest()];
    for (const seed of [1, 77]) {
      const inputs = model.inputs.map(({ name, dtype, shape }) => [
        name,
        fill(
          dtype,
          shape.reduce((a, b) => a * b),
          seed,
        ),
      ]);
      const results = Object.values(session.run(Object.fromEntries(inputs)));
      runs.push(...results.map((values) => Buffer.from(values.buffer).toString("base64")));
    }
    outputs[path][build] = runs;
    session.dispose();
  }
}

const module = new WebAssembly.Module(readFileSync(new URL("../../dist/core/simd.wasm", import.meta.url)));
const core = new WebAssembly.Instance(module).exports;
// refused, as there is no plan, but not before it has looked at the machine
core.load(core.heapBase(), 64);
console.log(JSON.stringify({ arch: process.arch, narrow: core.isNarrow(), chosen, outputs }));
