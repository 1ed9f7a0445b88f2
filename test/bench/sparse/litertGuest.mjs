// One process of LiteRT.js in the benches of weights: node litertGuest.mjs SHAPE MODEL…; prints the least milliseconds of each model,
// timed in turn. In Node it takes its build without relaxed SIMD, as the engine has none.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { pretendBrowser } from "../peers/litertNode.mjs";
import { pathOf } from "../places.mjs";

const ROUNDS = 60;
const CHUNK_MS = 3;

const print = console.log;
const file = pathOf("/packages/@litertjs/core/wasm/litert_wasm_compat_internal.js");
pretendBrowser(file);
const { loadLiteRt, loadAndCompile, Tensor } = await import(pathToFileURL(pathOf("/made/litert.mjs")).href);
await loadLiteRt(file);

const [shape, ...paths] = process.argv.slice(2);
const dimensions = JSON.parse(shape);
const count = dimensions.reduce((a, b) => a * b);
// whole models of the bench take bytes
const cells = paths[0].endsWith("_u8io.tflite") ? new Uint8Array(count).fill(64) : new Float32Array(count).fill(0.5);
const input = new Tensor(cells, dimensions);
const models = [];
for (const path of paths) {
  const bytes = new Uint8Array(readFileSync(path));
  models.push(await loadAndCompile(bytes, { accelerator: "wasm", cpuOptions: { numThreads: 1 } }));
}
async function once(model) {
  const outputs = await model.run(input);
  for (const tensor of outputs) tensor.delete();
}
const repeats = [];
for (const model of models) {
  for (let i = 0; i < 5; i++) await once(model);
  const start = performance.now();
  for (let i = 0; i < 5; i++) await once(model);
  repeats.push(Math.max(1, Math.ceil(CHUNK_MS / ((performance.now() - start) / 5))));
}
const best = models.map(() => Infinity);
for (let round = 0; round < ROUNDS; round++)
  for (const [i, model] of models.entries()) {
    const start = performance.now();
    for (let n = 0; n < repeats[i]; n++) await once(model);
    best[i] = Math.min(best[i], (performance.now() - start) / repeats[i]);
  }
print(JSON.stringify(best));
process.exit(0);
