// Times recurrent layers, attention and front ends, Mote against ONNX Runtime Web and TensorFlow.js in one process, in
// turn, many short rounds, the fastest of each. Mote's answers are checked against the integer reference before.
//   node test/bench/sequences.mjs [simd|scalar|relaxed] [filter]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { evaluate } from "../../dist/tools/evaluate/reference.js";
import { buildImage } from "../../dist/tools/pack/image.js";
import { pathOf } from "./places.mjs";
import { inputsOf, onnxForms, SEQUENCES, STEPS } from "./sequenceShapes.mjs";
import { install } from "./setup.mjs";

const ROUNDS = 40;
const ROUND_MS = 8;

const [build = "simd", filter = ""] = process.argv.slice(2);
const core = new WebAssembly.Module(readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url)));
const absent = new Set(install(["ort", "tfjs", "tfjsTrain"]));

function mote({ graph }) {
  const inputs = inputsOf(graph);
  const image = buildImage(graph);
  const { memory, heapBase, load, run } = new WebAssembly.Instance(core, {}).exports;
  const base = Math.ceil(heapBase() / 64) * 64;
  memory.grow(Math.ceil((base + image.totalBytes + 64) / 65536) - 1);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(image.bytes, base);
  if (load(base, image.totalBytes + 64) !== 0) throw new Error(`${graph.name}: the core refused the plan`);
  const view = new DataView(memory.buffer);
  const port = (i) => base + view.getUint32(base + 64 + 8 * i, true);
  inputs.forEach((data, i) => void bytes.set(new Uint8Array(data.buffer), port(i)));
  run();
  const [want] = evaluate(graph, inputs);
  const got = new Int8Array(memory.buffer, port(inputs.length), want.length);
  if (got.some((q, i) => q !== want[i])) throw new Error(`${graph.name}: wrong answer`);
  return run;
}

async function ort(layer) {
  const { default: runtime, ...named } = await import(pathOf("/packages/onnxruntime-web/dist/ort.wasm.bundle.min.mjs"));
  const { env, InferenceSession, Tensor } = { ...runtime, ...named };
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const forms = [];
  for (const { form, bytes, inputs } of onnxForms(layer)) {
    const session = await InferenceSession.create(bytes, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
    });
    const feeds = Object.fromEntries(
      inputs.map(({ name, shape }) => {
        const data = new Float32Array(shape.reduce((a, b) => a * b)).map((_, i) => Math.sin(i));
        return [name, new Tensor("float32", data, shape)];
      }),
    );
    forms.push({ name: `ORT-web ${form}`, run: () => session.run(feeds) });
  }
  return forms;
}

async function tfjs({ op, units }) {
  if (op !== "gru" && op !== "lstm") return [];
  const require = createRequire(pathOf("/packages/@tensorflow/tfjs/package.json"));
  const tf = require("@tensorflow/tfjs");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(pathOf("/packages/@tensorflow/tfjs-backend-wasm/dist/"));
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  await tf.ready();
  const model = tf.sequential({
    layers: [tf.layers[op]({ units, returnSequences: true, inputShape: [STEPS, units] })],
  });
  const x = tf.randomNormal([1, STEPS, units]);
  return [
    {
      name: "tfjs float, wasm",
      run() {
        const y = model.predict(x);
        y.dataSync();
        y.dispose();
      },
    },
  ];
}

/** Fastest milliseconds of each, a round of one after a round of the other. */
async function race(runners) {
  const best = runners.map(() => Infinity);
  const repeats = [];
  for (const { run } of runners) {
    await run();
    const started = performance.now();
    await run();
    repeats.push(Math.max(1, Math.round(ROUND_MS / (performance.now() - started))));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { run }] of runners.entries()) {
      const started = performance.now();
      for (let k = 0; k < repeats[i]; k++) {
        const result = run();
        if (result instanceof Promise) await result;
      }
      best[i] = Math.min(best[i], (performance.now() - started) / repeats[i]);
    }
  }
  return best;
}

for (const layer of SEQUENCES.filter(({ name }) => name.includes(filter))) {
  const runners = [{ name: `Mote int8, ${build}`, run: mote(layer) }];
  if (!absent.has("ort")) runners.push(...(await ort(layer)));
  if (!absent.has("tfjs") && !absent.has("tfjsTrain")) runners.push(...(await tfjs(layer)));
  const best = await race(runners);
  const own = layer.macs > 0 ? `, ${(layer.macs / best[0] / 1e6).toFixed(1)} GMAC/s` : "";
  console.log(`${layer.name}: ${(best[0] * 1000).toFixed(1)} µs${own}`);
  for (let i = 1; i < runners.length; i++) {
    console.log(
      `  ${runners[i].name.padEnd(34)} ${(best[i] * 1000).toFixed(1).padStart(9)} µs, ${(best[i] / best[0]).toFixed(2)} times as long`,
    );
  }
}
