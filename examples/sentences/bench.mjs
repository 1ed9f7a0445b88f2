// Times one sentence's embedding, Mote's int8 against ONNX Runtime Web on the same model, one thread, in one process, in
// turn, the fastest of each. Dynamically quantized forms lie beside the float file as minilm-ROWS.dynamic.onnx.
// usage: node examples/sentences/bench.mjs FOLDER ROWS [path of ort.wasm.bundle.min.mjs]
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadModel } from "mote-runtime/node";

const [folder, given = "64", bundle = ".bench/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs"] =
  process.argv.slice(2);
const rows = Number(given);
const SECONDS = 15;

const input_ids = Int32Array.from({ length: rows }, (_, i) => (i === 0 ? 101 : i === rows - 1 ? 102 : 1037 + 13 * i));
const attention_mask = new Int32Array(rows).fill(1);
const forms = [];
const session = await (await loadModel(readFileSync(join(folder, `minilm-${rows}.mote`)))).createSession();
forms.push({ name: `Mote int8 (${session.build})`, run: () => session.run({ input_ids, attention_mask }).embedding });

const { default: runtime, ...named } = await import(pathToFileURL(resolve(bundle)).href);
const { env, InferenceSession, Tensor } = { ...runtime, ...named };
env.wasm.numThreads = 1;
env.logLevel = "error";
for (const file of [`minilm-${rows}.onnx`, `minilm-${rows}.dynamic.onnx`]) {
  if (!existsSync(join(folder, file))) continue;
  const other = await InferenceSession.create(readFileSync(join(folder, file)), { executionProviders: ["wasm"] });
  const int64 = (data) => new Tensor("int64", BigInt64Array.from(data, BigInt), [1, rows]);
  const feeds = { input_ids: int64(input_ids), attention_mask: int64(attention_mask) };
  forms.push({ name: `ONNX Runtime Web ${file}`, run: async () => (await other.run(feeds)).embedding.data });
}

const [own, ...others] = forms;
const mine = Float32Array.from(own.run());
for (const form of others) {
  const theirs = await form.run();
  form.cosine = mine.reduce((sum, value, i) => sum + value * theirs[i], 0);
}
const end = performance.now() + SECONDS * 1000;
while (performance.now() < end) {
  for (const form of forms) {
    for (let round = 0; round < 2; round++) {
      const started = performance.now();
      await form.run();
      form.best = Math.min(form.best ?? Number.POSITIVE_INFINITY, performance.now() - started);
    }
  }
}
for (const { name, best, cosine } of forms) {
  const beside =
    cosine === undefined ? "" : `, ${(best / own.best).toFixed(2)} times Mote's; cosine to it ${cosine.toFixed(4)}`;
  console.log(`${rows} tokens, ${name}: ${best.toFixed(2)} ms${beside}`);
}
