// One SGD step of a net by TensorFlow.js on its cpu backend (the wasm one has no gradient of a convolution):
// node tfjs.mjs NET SECONDS
import { createRequire } from "node:module";
import { OWN } from "../places.mjs";
import { drawn, fingerprint, labels, NETS, RATE, report, time } from "./nets.mjs";

const tf = createRequire(`${OWN}package.json`)("@tensorflow/tfjs");
const [, , net, seconds] = process.argv;
await tf.setBackend("cpu");
const { input, parameters } = NETS[net];
const p = Object.fromEntries(
  parameters.map(([name, shape, limit]) => {
    const value = tf.tensor(drawn(name, shape, limit), shape);
    // its convolutions take [kH, kW, in, out]
    return [name, tf.variable(shape.length === 4 ? value.transpose([1, 2, 3, 0]) : value)];
  }),
);
const x = tf.tensor(drawn("x", input), input);
const targets = tf.oneHot(tf.tensor1d(labels, "int32"), 10);
const dense = (v, w, b) => tf.matMul(v, w, false, true).add(b);
const outputs = {
  cnn() {
    const h = tf.relu(tf.conv2d(x, p.k1, 1, 1).add(p.b1));
    const g = tf.relu(tf.conv2d(h, p.k2, 2, 1, "NHWC", [1, 1], "floor").add(p.b2));
    return dense(tf.relu(dense(g.reshape([64, 6272]), p.w1, p.c1)), p.w2, p.c2);
  },
  mlp: () => dense(tf.relu(dense(x, p.w1, p.c1)), p.w2, p.c2),
  gru() {
    const gx = dense(x.reshape([64 * 50, 16]), p.wx, p.bx).reshape([64, 50, 192]);
    const steps = tf.unstack(gx, 1);
    let h = tf.zeros([64, 64]);
    for (const gates of steps) {
      const [xr, xz, xn] = tf.split(gates, 3, 1);
      const [hr, hz, hn] = tf.split(dense(h, p.wh, p.bh), 3, 1);
      const z = tf.sigmoid(xz.add(hz));
      const n = tf.tanh(xn.add(tf.sigmoid(xr.add(hr)).mul(hn)));
      h = n.add(z.mul(h.sub(n)));
    }
    return dense(h, p.w, p.c);
  },
};
const lossOf = () => tf.losses.softmaxCrossEntropy(targets, outputs[net]());
const { value, grads } = tf.variableGrads(lossOf);
const first = value.dataSync()[0];
const gradients = Object.fromEntries(
  parameters.map(([name, shape]) => {
    const own = grads[p[name].name];
    return [name, fingerprint(name, (shape.length === 4 ? own.transpose([3, 0, 1, 2]) : own).dataSync())];
  }),
);
const optimizer = tf.train.sgd(RATE);
report(first, gradients, await time(() => optimizer.minimize(lossOf, true).dataSync(), Number(seconds)));
