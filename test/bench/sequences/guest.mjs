// Times recurrent layers, attention and front ends, Mote against ONNX Runtime Web and TensorFlow.js in one process, in
// turn, many short rounds, the fastest of each; prints JSON. Before, Mote's answers are checked against the integer
// reference, byte for byte, and ONNX Runtime's against Mote's: the same weights and inputs, as float32. TensorFlow.js has no
// reset after the product and takes weights of its own.
//   node test/bench/sequences/guest.mjs [simd|scalar|relaxed] [filter]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { evaluate } from "../../../dist/tools/evaluate/reference.js";
import { buildImage } from "../../../dist/tools/pack/image.js";
import { pathOf } from "../places.mjs";
import { install } from "../setup.mjs";
import { inputsOf, onnxForms, SEQUENCES, STEPS } from "./shapes.mjs";

const ROUNDS = 40;
const ROUND_MS = 8;
/** Before any is timed, each runs so long: engines compile what they find hot. */
const WARM_MS = 150;

const [build = "simd", filter = ""] = process.argv.slice(2);
const core = new WebAssembly.Module(readFileSync(new URL(`../../../dist/core/${build}.wasm`, import.meta.url)));
const absent = new Set(install(["ort", "tfjs", "tfjsTrain"]));

/** What a peer in float32 may be off by, in real values: gates in Q3.12 over fifty steps, eight bits of output. */
const TOLERANCE = 0.03;

function mote({ graph }, inputs) {
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
  return { run, answer: real(graph.tensors[graph.outputs[0]], got) };
}

const real = ({ quant }, data) => Float32Array.from(data, (q) => (q - quant.zeroPoint[0]) * quant.scale[0]);

async function ort(layer, data, answer) {
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
      inputs.map(({ name, shape }, i) => {
        const values = real(layer.graph.tensors[layer.graph.inputs[i]], data[i]);
        return [name, new Tensor("float32", values, shape)];
      }),
    );
    const { y } = await session.run(feeds);
    const worst = answer.reduce((most, value, i) => Math.max(most, Math.abs(value - y.data[i])), 0);
    if (!(worst <= TOLERANCE && y.data.length === answer.length)) {
      throw new Error(`${layer.name}: ORT-web ${form} is ${worst} away from Mote`);
    }
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
    for (const until = performance.now() + WARM_MS; performance.now() < until; ) await run();
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

const results = [];
for (const layer of SEQUENCES.filter(({ name }) => name.includes(filter))) {
  const inputs = inputsOf(layer.graph);
  const { run, answer } = mote(layer, inputs);
  const runners = [{ name: `Mote int8, ${build}`, run }];
  if (!absent.has("ort")) runners.push(...(await ort(layer, inputs, answer)));
  if (!absent.has("tfjs") && !absent.has("tfjsTrain")) runners.push(...(await tfjs(layer)));
  const best = await race(runners);
  results.push({ name: layer.name, macs: layer.macs, runs: runners.map(({ name }, i) => ({ name, ms: best[i] })) });
}
// the peers print on stdout, too
process.stdout.write(`\n${JSON.stringify(results)}\n`);
