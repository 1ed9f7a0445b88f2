// reduce: some axes of float32 or int32 values to one value, in float64 and in the order of the axes (exact for
// sums of int32 below 2^53). Axes that do not lie together are brought together by a copy first.

import { Op } from "../../assembly/abi.ts";
import { ReduceField, ReduceFn } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, type Node, type ReduceName, type Tensor, zeros } from "../graph/graph.ts";
import { exp, log } from "./floatMath.ts";
import type { Operator } from "./operator.ts";
import { type Box, emitBox, moveBox, stridesOf } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

const CODES: Readonly<Record<ReduceName, ReduceFn>> = {
  sum: ReduceFn.Sum,
  mean: ReduceFn.Mean,
  max: ReduceFn.Max,
  min: ReduceFn.Min,
  prod: ReduceFn.Prod,
  sumSquare: ReduceFn.SumSquare,
  sumAbs: ReduceFn.SumAbs,
  norm: ReduceFn.Norm,
  logSum: ReduceFn.LogSum,
  logSumExp: ReduceFn.LogSumExp,
  argMax: ReduceFn.ArgMax,
  argMaxLast: ReduceFn.ArgMaxLast,
  argMin: ReduceFn.ArgMin,
  argMinLast: ReduceFn.ArgMinLast,
};

/** [outer, reduce, inner]; `moved`: the order of axes that brings the reduced ones to the end, where they do not lie together. */
function plan({ attrs }: Node<"reduce">, { shape }: Tensor) {
  const { axes } = attrs;
  const first = axes[0] ?? 0;
  const together = axes.every((axis, i) => i === 0 || shape.slice(axes[i - 1]! + 1, axis).every((size) => size === 1));
  const reduce = axes.reduce((product, axis) => product * shape[axis]!, 1);
  if (together) {
    const outer = elementCount(shape.slice(0, first));
    return { outer, reduce, inner: elementCount(shape) / outer / reduce, moved: undefined };
  }
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  return { outer: elementCount(shape) / reduce, reduce, inner: 1, moved: [...kept, ...axes] };
}

function boxOf(x: Tensor, order: readonly number[]): Box {
  const strides = stridesOf(x.shape);
  const dims = order.map((axis) => x.shape[axis]!);
  return {
    dims,
    inStrides: order.map((axis) => strides[axis]!),
    inOffset: 0,
    outStrides: stridesOf(dims),
    outOffset: 0,
  };
}

function reduced(code: ReduceFn, values: readonly number[]): number {
  switch (code) {
    case ReduceFn.Max:
      return values.reduce((y, x) => Math.max(y, x));
    case ReduceFn.Min:
      return values.reduce((y, x) => Math.min(y, x));
    case ReduceFn.Prod:
      return values.reduce((y, x) => y * x, 1);
    case ReduceFn.SumSquare:
      return values.reduce((y, x) => y + x * x, 0);
    case ReduceFn.Norm:
      return Math.sqrt(values.reduce((y, x) => y + x * x, 0));
    case ReduceFn.SumAbs:
      return values.reduce((y, x) => y + Math.abs(x), 0);
    case ReduceFn.LogSumExp: {
      const most = values.reduce((y, x) => Math.max(y, x), Number.NEGATIVE_INFINITY);
      return most === Number.NEGATIVE_INFINITY ? most : log(values.reduce((y, x) => y + exp(x - most), 0)) + most;
    }
    case ReduceFn.LogSum:
      return log(values.reduce((y, x) => y + x, 0));
    case ReduceFn.Mean:
      return values.reduce((y, x) => y + x, 0) / values.length;
    case ReduceFn.Sum:
      return values.reduce((y, x) => y + x, 0);
    default: {
      const least = code >= ReduceFn.ArgMin;
      const last = code === ReduceFn.ArgMaxLast || code === ReduceFn.ArgMinLast;
      return values.reduce((at, x, k) => {
        const best = values[at]!;
        return (least ? x < best : x > best) || (last && x === best) ? k : at;
      }, 0);
    }
  }
}

export const reduce: Operator<"reduce"> = {
  name: "reduce",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32", "int32"], node.name);
    const { axes, fn, keepDims } = node.attrs;
    const valid = axes.every((axis, i) => axis < x.shape.length && axis >= 0 && (i === 0 || axis > axes[i - 1]!));
    if (!valid || (fn.startsWith("arg") && axes.length !== 1)) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${fn} cannot reduce axes [${axes}] of [${x.shape}]; name ${fn.startsWith("arg") ? "one of them" : "each once, in order"}.`,
      );
    }
    const shape = keepDims
      ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !axes.includes(axis));
    return [{ shape, dtype: fn.startsWith("arg") ? "int32" : x.dtype }];
  },

  reference(node, [x], [output]) {
    const { outer, reduce: count, inner, moved } = plan(node, x!);
    const code = CODES[node.attrs.fn];
    let data = x!.data;
    if (moved) {
      data = zeros(x!.dtype, data.length);
      moveBox(boxOf(x!, moved), x!.data, data);
    }
    const result = zeros(output!.dtype, outer * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const values = Array.from({ length: count }, (_, k) => Number(data[(o * count + k) * inner + i]));
        const y = reduced(code, values);
        result[o * inner + i] = output!.dtype === "int32" ? Number(BigInt.asIntN(32, BigInt(Math.trunc(y)))) : y;
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { outer, reduce: count, inner, moved } = plan(node, x);
    let input = lowering.at(node.inputs[0]!);
    if (moved) {
      const together = lowering.temporary(elementCount(x.shape) * DTYPE_BYTES[x.dtype]);
      emitBox(lowering, node.name, input, () => together, boxOf(x, moved), x.dtype);
      input = together;
    }
    lowering.emit({
      op: Op.Reduce,
      kernel: CODES[node.attrs.fn],
      input,
      output: lowering.at(node.outputs[0]!),
      fields: [
        [ReduceField.Outer, outer],
        [ReduceField.Reduce, count],
        [ReduceField.Inner, inner],
        [ReduceField.Integer, Number(x.dtype === "int32")],
      ],
      kernelName: `${node.attrs.fn} ${x.dtype === "float32" ? "f32" : "i32"}`,
    });
  },
};
