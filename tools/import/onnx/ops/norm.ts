// Normalizations. A batch norm of constants is a factor and a sum a channel, which graph/fuseFloat.ts puts into the
// convolution before it.

import { elementCount } from "../../../graph/graph.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { TYPE } from "../tensors.ts";

const batchNorm: Importer = (op) => {
  const x = op.input(0);
  const { build } = op;
  const isLast = op.prefersLast(x);
  const id = isLast ? build.last(x) : build.plain(x);
  const { shape } = build.at(id);
  const epsilon = op.float("epsilon", 1e-5);
  const along = (channels: readonly number[] | number): number[] =>
    isLast ? [channels as number] : [channels as number, ...shape.slice(2).map(() => 1)];
  if (op.int("training_mode", 0) === 1) return training(op, epsilon);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => op.numbers(i, "a parameter")!) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const factors = Float32Array.from(scale, (value, c) => value / Math.sqrt(variance[c]! + epsilon));
  const sums = Float32Array.from(bias, (value, c) => value - mean[c]! * factors[c]!);
  const factor = build.constant("float32", along(factors.length), factors);
  const y = build.zip("add", build.zip("mul", id, factor), build.constant("float32", along(sums.length), sums));
  op.setIn(isLast, 0, y, x.type);
};

/** By the batch's own mean and variance; the running ones are outputs too. */
function training(op: OnnxNode, epsilon: number): void {
  const { build } = op;
  const x = op.input(0);
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const plain = build.plain(x);
  const kept = x.shape.map((size, i) => (i === 1 ? size : 1));
  const mean = build.one("reduce", [plain], { fn: "mean", axes, keepDims: true });
  const centred = build.zip("sub", plain, mean);
  const variance = build.one("reduce", [build.zip("mul", centred, centred)], { fn: "mean", axes, keepDims: true });
  const wide = (index: number): number => build.reshape(op.x(index), kept);
  const unit = build.zip("div", centred, build.map("sqrt", build.map("affine", variance, 1, epsilon)));
  op.set(0, build.zip("add", build.zip("mul", unit, wide(1)), wide(2)), x.type);
  const momentum = op.float("momentum", 0.9);
  for (const [output, index, fresh] of [
    [1, 3, mean],
    [2, 4, variance],
  ] as const) {
    const old = build.map("affine", op.x(index), momentum, 0);
    op.set(
      output,
      build.zip("add", old, build.map("affine", build.reshape(fresh, [x.shape[1]!]), 1 - momentum, 0)),
      TYPE.float,
    );
  }
}

/** Over the axes from `axis` on; gain and shift of their shape go into the step where they are constant vectors. */
function overLast(rms: boolean): Importer {
  return (op) => {
    const x = op.input(0);
    const { build } = op;
    const axis = op.axis(-1, x.shape.length);
    const inner = x.shape.slice(axis);
    const depth = elementCount(inner);
    const rows = build.reshape(build.plain(x), [elementCount(x.shape) / depth, depth]);
    const [gain, shift] = [op.input(1), rms ? undefined : op.optional(2)];
    const fits = [gain, shift].every(
      (value) => !value || (build.numbers(value) && elementCount(value.shape) === depth),
    );
    const vector = (value: typeof shift, fill: number): number =>
      value && fits
        ? build.reshape(build.plain(value), [depth])
        : build.constant("float32", [depth], new Float32Array(depth).fill(fill));
    const epsilon = op.float("epsilon", 1e-5);
    const normal = build.one("floatNorm", [rows, vector(gain, 1), vector(shift, 0)], { epsilon, rms });
    let y = build.reshape(normal, x.shape);
    if (!fits) {
      y = build.zip("mul", y, build.plain(gain));
      if (shift) y = build.zip("add", y, build.plain(shift));
    }
    op.set(0, y, x.type);
    if (!op.wants(1) && !op.wants(2)) return;
    const kept = [...x.shape.slice(0, axis), ...inner.map(() => 1)];
    const mean = build.one("reduce", [rows], { fn: "mean", axes: [1], keepDims: true });
    const centred = build.zip("sub", rows, mean);
    const variance = build.one("reduce", [build.zip("mul", centred, centred)], {
      fn: "mean",
      axes: [1],
      keepDims: true,
    });
    if (op.wants(1)) op.set(1, build.reshape(mean, kept), TYPE.float);
    if (op.wants(2))
      op.set(
        2,
        build.reshape(build.map("reciprocal", build.map("sqrt", build.map("affine", variance, 1, epsilon))), kept),
        TYPE.float,
      );
  };
}

/** Each group of channels of each item on its own: a layer norm over their cells, then gain and shift a channel. */
function grouped(op: OnnxNode, groups: number): void {
  const x = op.input(0);
  const { build } = op;
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const depth = elementCount(x.shape) / batch / groups;
  const ones = (fill: number): number => build.constant("float32", [depth], new Float32Array(depth).fill(fill));
  const rows = build.reshape(build.plain(x), [batch * groups, depth]);
  const unit = build.reshape(
    build.one("floatNorm", [rows, ones(1), ones(0)], { epsilon: op.float("epsilon", 1e-5), rms: false }),
    x.shape,
  );
  const along = (index: number): number => {
    const id = op.x(index);
    const count = elementCount(build.at(id).shape);
    const each =
      count === channels
        ? id
        : build.one(
            "gather",
            [id, build.ints(Array.from({ length: channels }, (_, c) => Math.floor((c * count) / channels)))],
            { axis: 0 },
          );
    return build.reshape(each, [channels, ...spatial.map(() => 1)]);
  };
  op.set(0, build.zip("add", build.zip("mul", unit, along(1)), along(2)), x.type);
}

/** x / ‖x‖ over one axis. */
const lpNorm: Importer = (op) => {
  const x = op.input(0);
  const fn = op.int("p", 2) === 1 ? "sumAbs" : "norm";
  const plain = op.x();
  const length = op.build.one("reduce", [plain], { fn, axes: [op.axis(-1, x.shape.length)], keepDims: true });
  // a vector of zeros stays one
  const divisor = op.build.zip("max", length, op.build.scalar(2 ** -126));
  op.set(0, op.build.zip("div", plain, divisor), x.type);
};

/** x / (bias + α/size · Σ x²)^β over neighbouring channels: the sum is an average pool across them. */
const lrn: Importer = (op) => {
  const x = op.input(0);
  const { build } = op;
  const size = op.int("size", 1);
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const cells = elementCount(spatial);
  const plain = build.reshape(build.plain(x), [batch, channels, cells]);
  const square = build.zip("mul", plain, plain);
  const before = Math.floor((size - 1) / 2);
  const mean = build.one("floatPool", [square], {
    stride: [1, 1, 1],
    dilation: [1, 1, 1],
    pad: [0, 0, before],
    padAfter: [0, 0, size - 1 - before],
    kind: "average",
    kernel: [1, 1, size],
    countPad: true,
    out: [1, 1, channels],
  });
  const base = build.map("affine", mean, op.float("alpha", 1e-4), op.float("bias", 1));
  const y = build.zip("div", plain, build.zip("pow", base, build.scalar(op.float("beta", 0.75))));
  op.set(0, build.reshape(y, x.shape), x.type);
};

export const NORM: Readonly<Record<string, Importer>> = {
  BatchNormalization: batchNorm,
  LayerNormalization: overLast(false),
  RMSNormalization: overLast(true),
  InstanceNormalization: (op) => grouped(op, op.input(0).shape[1]!),
  GroupNormalization: (op) => grouped(op, op.int("num_groups", 1)),
  LpNormalization: lpNorm,
  LRN: lrn,
};
