// Every operator of the training engine: forward against its float64 reference, gradients against central
// differences in double precision, with odd sizes so that every tail of the vector loops is met.
import { describe, it } from "vitest";
import {
  add,
  averagePool2d,
  batchNorm,
  binaryCrossEntropy,
  conv2d,
  crossEntropy,
  dense,
  depthwiseConv2d,
  distillation,
  hardSwish,
  layerNorm,
  leakyRelu,
  logistic,
  matmul,
  maxPool2d,
  mean,
  meanSquaredError,
  mul,
  recurrent,
  relu,
  relu6,
  reshape,
  scale,
  softmax,
  sub,
  tanh,
  transpose,
} from "../../tools/train/ops/index.ts";
import type { Trace, Value } from "../../tools/train/trace.ts";
import { expectGradients, weights } from "./gradients.ts";

describe("products", () => {
  it.each([
    [1, 1, 1],
    [4, 8, 8],
    [5, 7, 9],
    [3, 17, 2],
    [9, 3, 270],
  ])("dense of %d rows, %d outputs, %d inputs", (rows, outputs, inputs) => {
    expectGradients({
      build: (t) => dense(t.input("x", [rows, inputs]), weights(t, "w", [outputs, inputs]), weights(t, "b", [outputs])),
    });
  });

  it("dense over the last of three axes, without a bias", () => {
    expectGradients({ build: (t) => dense(t.input("x", [2, 3, 5]), weights(t, "w", [6, 5])) });
  });

  it.each([false, true])("matmul, transposed b: %s", (transposeB) => {
    expectGradients({
      build: (t) =>
        matmul(t.input("a", [2, 3, 5, 4]), t.input("b", transposeB ? [2, 3, 7, 4] : [2, 3, 4, 7]), { transposeB }),
    });
  });
});

describe("convolution", () => {
  const cases: readonly (readonly [inC: number, outC: number, kernel: number, size: number, options: object])[] = [
    [1, 3, 3, 6, { padding: "same" }],
    [4, 8, 3, 5, { padding: "same", stride: 2 }],
    [3, 5, 2, 5, { padding: "valid" }],
    [5, 6, 1, 4, {}],
    [2, 4, 1, 5, { stride: 2 }],
    [3, 2, 3, 7, { dilation: 2, padding: "same" }],
    [2, 3, 5, 4, { padding: 2 }],
  ];
  it.each(cases)("%d to %d channels, kernel %d, size %d, %o", (inC, outC, kernel, size, options) => {
    expectGradients({
      build: (t) =>
        conv2d(
          t.input("x", [2, size, size + 1, inC]),
          weights(t, "w", [outC, kernel, kernel, inC]),
          weights(t, "b", [outC]),
          options,
        ),
    });
  });

  it.each([
    [4, 1],
    [6, 2],
    [3, 1],
  ])("depthwise of %d channels, stride %d", (channels, stride) => {
    expectGradients({
      build: (t) =>
        depthwiseConv2d(
          t.input("x", [2, 5, 6, channels]),
          weights(t, "w", [1, 3, 3, channels]),
          weights(t, "b", [channels]),
          { padding: "same", stride },
        ),
    });
  });

  it.each([
    [4, 2, {}],
    [5, 3, { stride: 2, padding: "same" }],
  ] as const)("pooling of %d channels, window %d", (channels, kernel, options) => {
    expectGradients({ build: (t) => maxPool2d(t.input("x", [2, 6, 5, channels]), kernel, options) });
    expectGradients({ build: (t) => averagePool2d(t.input("x", [2, 6, 5, channels]), kernel, options) });
  });
});

describe("functions of one value", () => {
  const functions: Readonly<Record<string, (x: Value) => Value>> = {
    relu,
    relu6,
    leakyRelu: (x) => leakyRelu(x, 0.1),
    logistic,
    tanh,
    hardSwish,
    scale: (x) => scale(x, -2.5),
  };
  it.each(Object.keys(functions))("%s", (name) => {
    expectGradients({ spread: 8, build: (t) => functions[name]!(t.input("x", [3, 37])) });
  });
});

describe("functions of two values", () => {
  it.each([
    [
      [2, 3, 5],
      [2, 3, 5],
    ],
    [
      [2, 3, 5],
      [3, 5],
    ],
    [[7, 4], [4]],
  ])("add, sub, mul of %j and %j", (a, b) => {
    for (const op of [add, sub, mul]) expectGradients({ build: (t) => op(t.input("a", a), t.input("b", b)) });
  });

  it("sums the gradients of a value and of a parameter used several times", () => {
    expectGradients({
      build: (t) => {
        const x = t.input("x", [3, 4]);
        const w = weights(t, "w", [4, 4]);
        const once = tanh(dense(x, w));
        return add(dense(once, w), add(once, mul(x, once)));
      },
    });
  });
});

describe("norms and softmax", () => {
  const norm = (t: Trace, n: number): [Value, Value] => [weights(t, "gamma", [n], 0.5, 2), weights(t, "beta", [n])];

  it.each([4, 5])("batchNorm of %d channels", (n) => {
    expectGradients({
      build: (t) => {
        const statistic = (name: string): Value =>
          t.parameter(t.parameters.declare(name, [n], () => new Float32Array(n), { isStatistic: true }));
        return batchNorm(t.input("x", [3, 2, 4, n]), ...norm(t, n), statistic("mean"), statistic("variance"));
      },
    });
  });

  it("batchNorm of parameters only, where the input needs no gradient", () => {
    const zeros = (t: Trace, name: string): Value =>
      t.parameter(t.parameters.declare(name, [3], () => new Float32Array(3), { isStatistic: true }));
    expectGradients({
      build: (t) => batchNorm(relu(t.input("x", [4, 3])), ...norm(t, 3), zeros(t, "mean"), zeros(t, "variance")),
    });
  });

  it("layerNorm", () => expectGradients({ build: (t) => layerNorm(t.input("x", [2, 3, 7]), ...norm(t, 7)) }));
  it("softmax", () => expectGradients({ spread: 3, build: (t) => softmax(t.input("x", [5, 7])) }));
});

describe("losses", () => {
  const labels = [0, 3, 6, 2, 2];
  it.each([0, 0.1])("crossEntropy of labels, smoothing %d", (smoothing) => {
    expectGradients({
      spread: 4,
      data: { labels },
      build: (t) => crossEntropy(t.input("x", [5, 7]), t.input("labels", [5], "int32"), { smoothing }),
    });
  });
  it("distillation", () => {
    expectGradients({
      spread: 3,
      data: { labels },
      build: (t) => {
        const student = dense(t.input("x", [5, 7]), weights(t, "w", [7, 7]));
        // the teacher learns nothing
        const teacher = t.parameter(
          t.parameters.declare(
            "teacher",
            [5, 7],
            (random) => Float32Array.from({ length: 35 }, () => random.normal()),
            { isStatistic: true },
          ),
        );
        return distillation(student, teacher, t.input("labels", [5], "int32"), { temperature: 3 });
      },
    });
  });
  it("meanSquaredError", () =>
    expectGradients({ build: (t) => meanSquaredError(t.input("x", [5, 3]), t.input("target", [5, 3])) }));
  it("binaryCrossEntropy", () => {
    expectGradients({
      spread: 5,
      data: { target: [0, 1, 1, 0.3, 0] },
      build: (t) => binaryCrossEntropy(t.input("x", [5]), t.input("target", [5])),
    });
  });
});

describe("moves", () => {
  it("reshape and transpose", () => {
    expectGradients({ build: (t) => transpose(reshape(t.input("x", [2, 12]), [2, 3, 4]), [2, 0, 1]) });
    expectGradients({ build: (t) => transpose(t.input("x", [2, 3, 4, 5]), [0, 2, 1, 3]) });
  });
  it("mean over leading, middle and all axes", () => {
    expectGradients({ build: (t) => mean(t.input("x", [2, 3, 4, 5]), 1, 2) });
    expectGradients({ build: (t) => mean(t.input("x", [2, 3, 5]), 0, 0) });
    expectGradients({ build: (t) => mean(mul(t.input("x", [2, 3]), t.input("y", [2, 3])), 0, 1) });
  });
});

describe("recurrent layers", () => {
  for (const kind of ["rnn", "gru", "lstm"] as const) {
    const gates = { rnn: 1, gru: 3, lstm: 4 }[kind];
    it.each([
      [8, false],
      [5, true],
      [4, true],
      [3, false],
    ])(`${kind} of %d units, whole sequence: %s`, (hidden, sequence) => {
      expectGradients({
        build: (t) =>
          recurrent(
            kind,
            t.input("x", [3, 4, 5]),
            {
              wx: weights(t, "wx", [gates * hidden, 5]),
              wh: weights(t, "wh", [gates * hidden, hidden]),
              bx: weights(t, "bx", [gates * hidden]),
              bh: weights(t, "bh", [gates * hidden]),
            },
            { sequence },
          ),
      });
    });
  }
});
