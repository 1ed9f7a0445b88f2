// The engine against PyTorch: outputs and gradients of layers, the path of every optimizer, and the loss of each of the
// first hundred steps of three nets on real digits.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Machine } from "../../tools/train/machine.ts";
import * as ops from "../../tools/train/ops/index.ts";
import { adagrad, adam, adamw, bindUpdates, type Optimizer, rmsprop, sgd } from "../../tools/train/optimizers.ts";
import { ParameterSet, Trace, type Value } from "../../tools/train/trace.ts";
import { drawn, golden } from "./goldens.ts";

/** Two float32 engines that sum in different orders: a few units in the sixth digit. */
const TOLERANCE = 2e-5;
/** PyTorch in float32 is itself up to 9e-4 from PyTorch in float64 on these curves: one rounded choice of a maximum is enough. */
const CURVE_TOLERANCE = 1e-3;

interface LayerGolden {
  readonly output: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly statistics?: Readonly<Record<string, readonly number[]>>;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** A parameter that starts as what make.py draws under `name`. */
function given(t: Trace, name: string, shape: readonly number[], limit = 1, decays = true): Value {
  const start = drawn(name, sizeOf(shape)).map((v) => v * limit);
  return t.parameter(t.parameters.declare(name, shape, () => start, { decays }));
}
const zero = (t: Trace, name: string, shape: readonly number[]): Value =>
  t.parameter(t.parameters.declare(name, shape, () => new Float32Array(sizeOf(shape))));

function expectClose(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const scale = Math.max(0.1, ...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value) / scale));
  expect(worst, what).toBeLessThan(TOLERANCE);
}

const recurrentLayer = (kind: "rnn" | "gru" | "lstm", gates: number) => (t: Trace) =>
  ops.recurrent(
    kind,
    given(t, "x", [2, 5, 4]),
    {
      wx: given(t, "wx", [gates * 6, 4]),
      wh: given(t, "wh", [gates * 6, 6]),
      bx: given(t, "bx", [gates * 6]),
      bh: given(t, "bh", [gates * 6]),
    },
    { sequence: true },
  );

function attention(t: Trace): Value {
  const x = given(t, "x", [2, 5, 8]);
  const project = (name: string, from: Value): Value =>
    ops.dense(from, given(t, name, [8, 8]), given(t, `${name}Bias`, [8]));
  const split = (v: Value): Value => ops.transpose(ops.reshape(v, [2, 5, 2, 4]), [0, 2, 1, 3]);
  const query = split(ops.scale(project("query", x), 0.5));
  const shares = ops.softmax(ops.matmul(query, split(project("key", x)), { transposeB: true }));
  const mixed = ops.transpose(ops.matmul(shares, split(project("value", x))), [0, 2, 1, 3]);
  return project("output", ops.reshape(mixed, [2, 5, 8]));
}

const LAYERS: Readonly<Record<string, (t: Trace) => Value>> = {
  dense: (t) => ops.dense(given(t, "x", [3, 5]), given(t, "w", [4, 5]), given(t, "b", [4])),
  conv2d: (t) =>
    ops.conv2d(given(t, "x", [2, 6, 7, 3]), given(t, "w", [4, 3, 3, 3]), given(t, "b", [4]), { stride: 2, padding: 1 }),
  depthwiseConv2d: (t) =>
    ops.depthwiseConv2d(given(t, "x", [2, 5, 6, 4]), given(t, "w", [1, 3, 3, 4]), given(t, "b", [4]), { padding: 1 }),
  maxPool2d: (t) => ops.maxPool2d(given(t, "x", [2, 6, 6, 3]), 2),
  averagePool2d: (t) => ops.averagePool2d(given(t, "x", [2, 6, 6, 3]), 3, { stride: 1 }),
  batchNorm(t) {
    const statistic = (name: string, value: number): Value =>
      t.parameter(t.parameters.declare(name, [5], () => new Float32Array(5).fill(value), { isStatistic: true }));
    const [x, gamma, beta] = [given(t, "x", [6, 5]), given(t, "gamma", [5]), given(t, "beta", [5])];
    return ops.batchNorm(x, gamma, beta, statistic("mean", 0), statistic("variance", 1));
  },
  layerNorm: (t) => ops.layerNorm(given(t, "x", [3, 7]), given(t, "gamma", [7]), given(t, "beta", [7])),
  rnn: recurrentLayer("rnn", 1),
  gru: recurrentLayer("gru", 3),
  lstm: recurrentLayer("lstm", 4),
  selfAttention: attention,
  crossEntropy: (t) => ops.crossEntropy(given(t, "x", [5, 7]), t.input("labels", [5], "int32"), { smoothing: 0.1 }),
  binaryCrossEntropy: (t) => ops.binaryCrossEntropy(given(t, "x", [9]), t.input("t", [9])),
};

describe("layers equal PyTorch's", () => {
  const goldens = golden<Record<string, LayerGolden>>("layers");
  it.each(Object.keys(LAYERS))("%s", (name) => {
    const trace = new Trace(new ParameterSet(), "train");
    const output = LAYERS[name]!(trace);
    const size = sizeOf(output.shape);
    const isLoss = size === 1;
    const loss = isLoss ? output : ops.meanSquaredError(ops.reshape(output, [size]), trace.input("zero", [size]));
    const machine = new Machine(trace.parameters);
    const program = machine.compile(trace, { outputs: [output], loss });
    if (!isLoss) program.set("zero", new Float32Array(size));
    if (name === "crossEntropy") program.set("labels", [0, 3, 6, 2, 2]);
    if (name === "binaryCrossEntropy") program.set("t", drawn("t", 9).map(Math.abs));
    program.run();
    const { output: expected, gradients, statistics = {} } = goldens[name]!;
    expectClose(program.get(output), expected, "output");
    for (const [leaf, values] of Object.entries(gradients)) {
      expectClose(machine.readGradient(trace.parameters.get(leaf)!), values, `gradient by ${leaf}`);
    }
    for (const [statistic, values] of Object.entries(statistics)) {
      expectClose(machine.read(trace.parameters.get(statistic)!), values, statistic);
    }
  });
});

describe("optimizers go PyTorch's way", () => {
  const goldens = golden<Record<string, readonly (readonly number[])[]>>("optimizers");
  const cases: readonly (readonly [string, Optimizer, rate: number])[] = [
    ["sgd", sgd({ weightDecay: 0.01 }), 0.1],
    ["momentum", sgd({ momentum: 0.9 }), 0.1],
    ["nesterov", sgd({ momentum: 0.9, nesterov: true }), 0.1],
    ["adagrad", adagrad(), 0.1],
    ["rmsprop", rmsprop(), 0.02],
    ["adam", adam({ weightDecay: 0.01 }), 0.05],
    ["adamw", adamw({ weightDecay: 0.1 }), 0.05],
  ];
  it.each(cases)("%s", (name, optimizer, rate) => {
    const trace = new Trace(new ParameterSet(), "train");
    const y = ops.dense(trace.input("x", [6, 4]), given(trace, "w", [3, 4]));
    const loss = ops.meanSquaredError(y, trace.input("t", [6, 3]));
    const machine = new Machine(trace.parameters, optimizer.slots);
    const program = machine.compile(trace, { outputs: [], loss });
    const update = bindUpdates(machine, optimizer);
    program.set("x", drawn("x", 24));
    program.set("t", drawn("t", 18));
    for (let step = 1; step <= 10; step++) {
      program.set("x", drawn("x", 24));
      program.set("t", drawn("t", 18));
      program.run();
      machine.setRate(...optimizer.rates(rate, step));
      update();
      if (step % 5 === 0)
        expectClose(machine.read(trace.parameters.get("w")!), goldens[name]![step / 5 - 1]!, `step ${step}`);
    }
  });
});

/** 640 of each digit in turn, as make.py reads them. */
function digits(): { pixels: Float32Array; labels: Int32Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src/digits");
  const pixels = new Float32Array(6400 * 784);
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(join(folder, `${digit}.json`), "utf8")) as { data: number[] };
    for (let i = 0; i < 640; i++) {
      for (let p = 0; p < 784; p++) pixels[(i * 10 + digit) * 784 + p] = Math.round(data[i * 784 + p]! * 255) / 255;
    }
  }
  return { pixels, labels: Int32Array.from({ length: 6400 }, (_, i) => i % 10) };
}

describe("the loss follows PyTorch's for a hundred steps within 1e-3", () => {
  const curves = golden<Record<string, readonly number[]>>("curves");
  const { pixels, labels } = digits();
  const nets: Readonly<
    Record<string, readonly [shape: readonly number[], Optimizer, rate: number, (t: Trace, x: Value) => Value]>
  > = {
    mlp: [
      [64, 784],
      adam(),
      0.002,
      (t, x) =>
        ops.dense(
          ops.relu(ops.dense(x, given(t, "w1", [128, 784], 0.08), zero(t, "b1", [128]))),
          given(t, "w2", [10, 128], 0.2),
          zero(t, "b2", [10]),
        ),
    ],
    cnn: [
      [64, 28, 28, 1],
      sgd({ momentum: 0.9 }),
      0.01,
      (t, x) => {
        const conv = (v: Value, name: string, shape: readonly number[], limit: number): Value =>
          ops.maxPool2d(
            ops.relu(
              ops.conv2d(v, given(t, name, shape, limit), zero(t, `${name}b`, [shape[0]!]), { padding: "same" }),
            ),
            2,
          );
        const h = conv(conv(x, "k1", [8, 3, 3, 1], 0.5), "k2", [16, 3, 3, 8], 0.25);
        return ops.dense(ops.flatten(h), given(t, "w", [10, 784], 0.08), zero(t, "b", [10]));
      },
    ],
    gru: [
      [64, 28, 28],
      adam(),
      0.005,
      (t, x) => {
        const h = ops.recurrent("gru", x, {
          wx: given(t, "wx", [96, 28], 0.17),
          wh: given(t, "wh", [96, 32], 0.17),
          bx: given(t, "bx", [96], 0.17),
          bh: given(t, "bh", [96], 0.17),
        });
        return ops.dense(h, given(t, "w", [10, 32], 0.2), zero(t, "b", [10]));
      },
    ],
  };
  it.each(Object.keys(nets))("%s", (name) => {
    const [shape, optimizer, rate, net] = nets[name]!;
    const trace = new Trace(new ParameterSet(), "train");
    const loss = ops.crossEntropy(net(trace, trace.input("x", shape)), trace.input("labels", [64], "int32"));
    const machine = new Machine(trace.parameters, optimizer.slots);
    const program = machine.compile(trace, { outputs: [loss], loss });
    const update = bindUpdates(machine, optimizer);
    let worst = 0;
    for (let step = 0; step < 100; step++) {
      program.set("x", pixels.subarray(step * 64 * 784, (step + 1) * 64 * 784));
      program.set("labels", labels.subarray(step * 64, (step + 1) * 64));
      program.run();
      machine.setRate(...optimizer.rates(rate, step + 1));
      update();
      worst = Math.max(worst, Math.abs(program.get(loss)[0]! - curves[name]![step]!));
    }
    console.log(`${name}: largest difference to PyTorch's loss ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(CURVE_TOLERANCE);
  });
});
