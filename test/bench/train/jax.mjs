// One SGD step of a net by jax-js on its wasm backend, compiled with jit: node jax.mjs NET SECONDS
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { OWN } from "../places.mjs";
import { drawn, fingerprint, labels, NETS, RATE, report, time } from "./nets.mjs";

const entry = createRequire(`${OWN}package.json`).resolve("@jax-js/jax");
const jax = await import(pathToFileURL(entry.replace(/\.cjs$/, ".js")).href);
const { numpy: np, nn, lax } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");
const [, , net, seconds] = process.argv;
const { input, parameters } = NETS[net];

// its convolutions are NCHW with weights [out, in, kH, kW]
const make = (name, shape, limit) => {
  const flat = np.array(drawn(name, shape, limit)).reshape(shape);
  return shape.length === 4 ? np.transpose(flat, [0, 3, 1, 2]) : flat;
};
let p = Object.fromEntries(parameters.map(([name, shape, limit]) => [name, make(name, shape, limit)]));
const x = make("x", input, 1);
const oneHot = np
  .array(Float32Array.from({ length: 640 }, (_, i) => (labels[Math.floor(i / 10)] === i % 10 ? 1 : 0)))
  .reshape([64, 10]);

const dense = (v, w, b) => np.matmul(v, np.transpose(w)).add(b);
const outputs = {
  cnn(p, x) {
    const pad = [
      [1, 1],
      [1, 1],
    ];
    const h = nn.relu(lax.convGeneralDilated(x, p.k1, [1, 1], pad).add(p.b1.reshape([1, 16, 1, 1])));
    const g = nn.relu(lax.convGeneralDilated(h, p.k2, [2, 2], pad).add(p.b2.reshape([1, 32, 1, 1])));
    const rows = np.transpose(g, [0, 2, 3, 1]).reshape([64, 6272]);
    return dense(nn.relu(dense(rows, p.w1, p.c1)), p.w2, p.c2);
  },
  mlp: (p, x) => dense(nn.relu(dense(x, p.w1, p.c1)), p.w2, p.c2),
  gru(p, x) {
    const { wx, wh, bx, bh, w, c } = p;
    const gx = dense(x.reshape([3200, 16]), wx, bx).reshape([64, 50, 192]);
    let h = np.zeros([64, 64]);
    for (let t = 0; t < 50; t++) {
      const gates = gx.ref.slice([], t);
      const gh = dense(h.ref, wh.ref, bh.ref);
      const part = (v, i) => v.ref.slice([], [i * 64, i * 64 + 64]);
      const z = nn.sigmoid(part(gates, 1).add(part(gh, 1)));
      const r = nn.sigmoid(part(gates, 0).add(part(gh, 0)));
      const n = np.tanh(part(gates, 2).add(r.mul(part(gh, 2))));
      gates.dispose();
      gh.dispose();
      h = n.ref.add(z.mul(h.sub(n)));
    }
    for (const used of [gx, wh, bh]) used.dispose();
    return dense(h, w, c);
  },
};
const lossOf = (p, x, targets) => {
  const scores = nn.logSoftmax(outputs[net](p, x));
  return np.sum(scores.mul(targets)).mul(-1 / 64);
};
const both = jax.jit(jax.valueAndGrad(lossOf));
const refs = (tree) => Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, value.ref]));

const [value, grads] = both(refs(p), x.ref, oneHot.ref);
const first = value.dataSync ? value.dataSync()[0] : (await value.data())[0];
const gradients = {};
for (const [name, shape] of parameters) {
  const own = shape.length === 4 ? np.transpose(grads[name], [0, 2, 3, 1]) : grads[name];
  gradients[name] = fingerprint(name, await own.data());
}
const step = async () => {
  const [loss, g] = both(refs(p), x.ref, oneHot.ref);
  p = Object.fromEntries(Object.keys(p).map((name) => [name, p[name].sub(g[name].mul(RATE))]));
  await jax.blockUntilReady(refs(p));
  await loss.data();
};
await step();
report(first, gradients, await time(step, Number(seconds)));
