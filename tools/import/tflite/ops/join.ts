// Operators that join tensors along an axis or take them apart: CONCATENATION, PACK, SPLIT, SPLIT_V, UNPACK.
// Invariant: parts keep their order; sizes along the axis add up to the whole.

import type { Operand } from "../builder.ts";
import { quoted } from "../file.ts";
import {
  BuiltinOptions,
  ConcatenationOptions,
  PackOptions,
  SplitOptions,
  SplitVOptions,
  UnpackOptions,
} from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { fusedActivation } from "../window.ts";

/** The inputs of a join. Their scales may differ: `concat` brings all to the output's. */
function parts(op: OperatorContext): { operands: Operand[]; first: Operand } {
  const first = op.activation(0, "bare");
  const operands = [first];
  for (let i = 1; i < op.inputCount; i++) operands.push(op.activation(i, "bare"));
  for (const { tensor } of operands) {
    if (tensor.dtype !== first.tensor.dtype) {
      throw op.unsupported(`has inputs of types ${first.tensor.dtype} and ${tensor.dtype}, expected one type`);
    }
    if ((tensor.quant === undefined) !== (first.tensor.quant === undefined)) {
      throw op.contradiction(`has inputs with and without a scale, e.g. ${quoted(tensor.name)}`);
    }
  }
  return { operands, first };
}

function joined(op: OperatorContext, shapes: readonly (readonly number[])[], axis: number): number[] {
  const [first = []] = shapes;
  for (const shape of shapes) {
    if (shape.length !== first.length || shape.some((size, i) => i !== axis && size !== first[i])) {
      throw op.contradiction(`joins shapes [${first}] and [${shape}] along axis ${axis}`);
    }
  }
  const total = shapes.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0);
  return first.map((size, i) => (i === axis ? total : size));
}

function joinedOutput(op: OperatorContext, first: Operand, shape: readonly number[]): Operand {
  const y = op.output(0, first.tensor, "bare");
  if (first.tensor.quant === undefined) op.sameQuantization(first, y);
  else op.output(0, first.tensor);
  op.expectShape(y, shape);
  return y;
}

export function concatenation(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.ConcatenationOptions, new ConcatenationOptions());
  const { operands, first } = parts(op);
  const axis = op.axis(options.axis(), first.tensor.shape.length);
  const shapes = operands.map((operand) => operand.tensor.shape);
  const y = joinedOutput(op, first, joined(op, shapes, axis));
  const activation = fusedActivation(op, options.fusedActivationFunction());
  op.emit("concat", operands, [y], { axis, activation });
}

/** Joins along a new axis: each part gets a dimension of 1 there, then they are joined along it. */
export function pack(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.PackOptions, new PackOptions());
  const { operands, first } = parts(op);
  const axis = op.axis(options.axis(), first.tensor.shape.length + 1);
  const widened = operands.map(({ tensor }) => [...tensor.shape.slice(0, axis), 1, ...tensor.shape.slice(axis)]);
  const y = joinedOutput(op, first, joined(op, widened, axis));
  const slices = operands.map((operand, i) => {
    const shape = widened[i] ?? [];
    const name = `${op.name}/part${i}`;
    const { data: _, ...rest } = operand.tensor;
    const slice = op.builder.add({ ...rest, name, shape });
    op.emit("reshape", [operand], [slice], { shape }, name);
    return slice;
  });
  op.emit("concat", slices, [y], { axis, activation: "none" });
}

function emitSplit(op: OperatorContext, x: Operand, axis: number, sizes: readonly number[]): void {
  const { shape } = x.tensor;
  if (sizes.length !== op.outputCount || sizes.some((size) => size < 1) || sum(sizes) !== shape[axis]) {
    throw op.contradiction(`splits ${shape[axis]} along axis ${axis} into [${sizes}] for ${op.outputCount} outputs`);
  }
  const outputs = sizes.map((size, i) => {
    const y = op.output(i, x.tensor, "bare");
    op.sameQuantization(x, y);
    op.expectShape(
      y,
      shape.map((whole, j) => (j === axis ? size : whole)),
    );
    return y;
  });
  op.emit("split", [x], outputs, { axis, sizes });
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

export function split(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.SplitOptions, new SplitOptions());
  const x = op.activation(1, "bare");
  const axis = op.axis(op.int(0, "axis"), x.tensor.shape.length);
  const count = options.numSplits();
  const whole = x.tensor.shape[axis] ?? 0;
  if (count !== op.outputCount || whole % count !== 0) {
    throw op.contradiction(`splits ${whole} along axis ${axis} into ${count} for ${op.outputCount} outputs`);
  }
  emitSplit(op, x, axis, Array<number>(count).fill(whole / count));
}

/** One size may be −1: what is left. */
export function splitV(op: OperatorContext): void {
  op.optionalOptions(BuiltinOptions.SplitVOptions, new SplitVOptions());
  const x = op.activation(0, "bare");
  const asked = op.ints(1, "sizes");
  const axis = op.axis(op.int(2, "axis"), x.tensor.shape.length);
  const open = asked.indexOf(-1);
  const rest = (x.tensor.shape[axis] ?? 0) - sum(asked.filter((_, i) => i !== open));
  const sizes = asked.map((size, i) => (i === open ? rest : size));
  emitSplit(op, x, axis, sizes);
}

/** One slice an output, without the axis. */
export function unpack(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.UnpackOptions, new UnpackOptions());
  const x = op.activation(0, "bare");
  const { shape } = x.tensor;
  const axis = op.axis(options.axis(), shape.length);
  if (op.outputCount !== shape[axis]) {
    throw op.contradiction(`takes ${op.outputCount} outputs from ${shape[axis]} along axis ${axis}`);
  }
  const strides = shape.map(() => 1);
  const sizes = shape.map((size, i) => (i === axis ? 1 : size));
  for (let index = 0; index < op.outputCount; index++) {
    const y = op.output(index, x.tensor, "bare");
    op.sameQuantization(x, y);
    op.expectShape(
      y,
      shape.filter((_, i) => i !== axis),
    );
    const begin = shape.map((_, i) => (i === axis ? index : 0));
    op.emit("stridedSlice", [x], [y], { begin, strides, sizes, squeeze: [axis] }, y.tensor.name);
  }
}
