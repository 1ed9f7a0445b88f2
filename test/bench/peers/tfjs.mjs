// TensorFlow.js on its WebAssembly backend, one thread: float twins, built from fused layers as its converter
// would fuse them.
import { buildFloatModel } from "./tfjsModel.mjs";

const CORE = "/packages/@tensorflow/tfjs-core/dist/";
const BACKEND = "/packages/@tensorflow/tfjs-backend-wasm/dist/";

export const input = (_task, bytes) => new Float32Array(bytes);

export async function open({ modelFile, expected }, io, data) {
  const { tf, wasm, files } = io.engine === "node" ? await loadInNode(io) : await loadInPage();
  wasm.setWasmPaths(files);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  await tf.ready();
  const plan = JSON.parse(new TextDecoder().decode(await io.bytes(`${modelFile}.json`)));
  const predict = buildFloatModel(tf, plan, await io.bytes(`${modelFile}.bin`));
  const x = tf.tensor(data, expected.shapeNhwc);
  let output;
  return {
    run() {
      const y = predict(x);
      output = y.dataSync();
      y.dispose();
    },
    output: () => output,
  };
}

async function loadInNode(io) {
  const { createRequire } = await import("node:module");
  const require = createRequire(io.path(`${BACKEND}index.js`));
  const tf = require("@tensorflow/tfjs-core");
  return { tf, wasm: require("@tensorflow/tfjs-backend-wasm"), files: io.path(BACKEND) };
}

async function loadInPage() {
  for (const src of [`${CORE}tf-core.min.js`, `${BACKEND}tf-backend-wasm.min.js`]) {
    const script = document.createElement("script");
    script.src = src;
    const loaded = new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${src} does not load`));
    });
    document.head.append(script);
    await loaded;
  }
  return { tf: globalThis.tf, wasm: globalThis.tf.wasm, files: BACKEND };
}
