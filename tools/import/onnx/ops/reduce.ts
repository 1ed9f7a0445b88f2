// Reductions, softmax and running sums.

import { elementCount, type ReduceName } from "../../../graph/graph.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { TYPE } from "../tensors.ts";

function reduce(fn: ReduceName): Importer {
  return (op) => {
    const x = op.input(0);
    const rank = x.shape.length;
    const given = op.listed("axes", 1);
    if ((!given || given.length === 0) && op.int("noop_with_empty_axes", 0) === 1) return op.setValue(0, x);
    const axes = given && given.length > 0 ? given.map((axis) => op.wrap(axis, rank)) : x.shape.map((_, i) => i);
    const keepDims = op.int("keepdims", 1) === 1;
    // the spatial axes of a channels-last value, kept or all gone, need no transposition
    const isLast =
      op.prefersLast(x) &&
      !axes.includes(1) &&
      (keepDims || axes.length === rank - 2) &&
      axes.every((axis) => axis >= 2);
    const own = isLast ? axes.map((axis) => axis - 1) : axes;
    const id = op.build.one("reduce", [isLast ? op.build.last(x) : op.build.plain(x)], {
      fn,
      axes: [...new Set(own)].sort((a, b) => a - b),
      keepDims,
    });
    if (isLast && keepDims) op.setLast(0, id, x.type);
    else op.set(0, id, x.type);
  };
}

function argReduce(first: ReduceName, last: ReduceName): Importer {
  return (op) => {
    const x = op.input(0);
    const fn = op.int("select_last_index", 0) ? last : first;
    op.set(
      0,
      op.build.one("reduce", [op.x()], {
        fn,
        axes: [op.axis(0, x.shape.length)],
        keepDims: op.int("keepdims", 1) === 1,
      }),
      TYPE.int64,
    );
  };
}

/** Over one axis since opset 13, over all axes from it on before. */
function softmax(log: boolean): Importer {
  return (op) => {
    const x = op.input(0);
    const rank = x.shape.length;
    const { build } = op;
    const axis = op.axis(op.opset < 13 ? 1 : -1, rank);
    const plain = build.plain(x);
    if (op.opset < 13) {
      const flat = build.reshape(plain, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))]);
      return void op.set(0, build.reshape(build.one("floatSoftmax", [flat], { log }), x.shape), x.type);
    }
    if (axis === rank - 1) return void op.set(0, build.one("floatSoftmax", [plain], { log }), x.type);
    const swap = x.shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
    op.set(0, build.transpose(build.one("floatSoftmax", [build.transpose(plain, swap)], { log }), swap), x.type);
  };
}

/** A running sum is a product with a triangle of ones. */
const cumSum: Importer = (op) => {
  const x = op.input(0);
  const axis = op.wrap(op.numbers(1, "the axis")![0]!, x.shape.length);
  const size = x.shape[axis]!;
  const { build } = op;
  const plain = op.x();
  const { dtype } = build.at(plain);
  const [reverse, exclusive] = [op.int("reverse", 0), op.int("exclusive", 0)];
  const cells = Array.from({ length: size * size }, (_, at) => {
    const [from, to] = [Math.floor(at / size), at % size];
    return Number(from === to ? !exclusive : reverse ? from > to : from < to);
  });
  const triangle = build.constant(
    dtype,
    [size, size],
    dtype === "float32" ? Float32Array.from(cells) : Int32Array.from(cells),
  );
  const swap = x.shape.map((_, i) => (i === axis ? x.shape.length - 1 : i === x.shape.length - 1 ? axis : i));
  const rows = build.transpose(plain, swap);
  const matrix = build.reshape(rows, [elementCount(x.shape) / size, size]);
  const y = build.one("floatMatmul", [matrix, triangle], {
    transposeB: false,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
  });
  op.set(0, build.transpose(build.reshape(y, build.at(rows).shape), swap), x.type);
};

const hardmax: Importer = (op: OnnxNode) => {
  const x = op.input(0);
  const axis = op.axis(op.opset < 13 ? 1 : -1, x.shape.length);
  if (op.opset < 13) throw op.unsupported("a Hardmax before opset 13");
  const { build } = op;
  const best = build.one("reduce", [op.x()], { fn: "argMax", axes: [axis], keepDims: true });
  const shape = x.shape.map((size, i) => (i === axis ? size : 1));
  const places = build.constant(
    "int32",
    shape,
    Int32Array.from({ length: x.shape[axis]! }, (_, i) => i),
  );
  op.set(0, build.map("fromInt", build.zip("equal", places, best)), x.type);
};

export const REDUCE: Readonly<Record<string, Importer>> = {
  ReduceSum: reduce("sum"),
  ReduceMean: reduce("mean"),
  ReduceMax: reduce("max"),
  ReduceMin: reduce("min"),
  ReduceProd: reduce("prod"),
  ReduceSumSquare: reduce("sumSquare"),
  ReduceL1: reduce("sumAbs"),
  ReduceL2: reduce("norm"),
  ReduceLogSum: reduce("logSum"),
  ReduceLogSumExp: reduce("logSumExp"),
  ArgMax: argReduce("argMax", "argMaxLast"),
  ArgMin: argReduce("argMin", "argMinLast"),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  Hardmax: hardmax,
  CumSum: cumSum,
};
