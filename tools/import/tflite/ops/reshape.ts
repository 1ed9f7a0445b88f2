// Operators that only rename the dimensions: RESHAPE, SQUEEZE, EXPAND_DIMS.
// Invariant: all become `reshape`, with every dimension known and the element count kept.

import { elementCount } from "../../../graph/graph.ts";
import type { Operand } from "../builder.ts";
import { BuiltinOptions, ReshapeOptions, SqueezeOptions } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";

function emitReshape(op: OperatorContext, x: Operand, shape: readonly number[]): void {
  const y = op.output(0, x.tensor, "bare");
  if (elementCount(shape) !== elementCount(x.tensor.shape)) {
    throw op.contradiction(`has input of shape [${x.tensor.shape}] and new shape [${shape}], which differ in size`);
  }
  op.sameQuantization(x, y);
  op.expectShape(y, shape);
  op.emit("reshape", [x], [y], { shape });
}

/** One dimension may be −1: what is left. */
function resolve(op: OperatorContext, asked: readonly number[], total: number): number[] {
  const known = asked.filter((size) => size !== -1);
  const product = elementCount(known);
  if (known.some((size) => size < 1) || asked.length - known.length > 1) {
    throw op.contradiction(`asks for shape [${asked}]`);
  }
  return asked.map((size) => (size === -1 ? Math.floor(total / product) : size));
}

export function reshape(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const options = op.optionalOptions(BuiltinOptions.ReshapeOptions, new ReshapeOptions());
  const fromOptions: number[] = [];
  for (let i = 0; i < (options?.newShapeLength() ?? 0); i++) fromOptions.push(options?.newShape(i) ?? 0);
  const asked = op.hasInput(1) ? op.ints(1, "new shape") : fromOptions;
  emitReshape(op, x, resolve(op, asked, elementCount(x.tensor.shape)));
}

export function squeeze(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const { shape } = x.tensor;
  const options = op.optionalOptions(BuiltinOptions.SqueezeOptions, new SqueezeOptions());
  const dropped = new Set<number>();
  for (let i = 0; i < (options?.squeezeDimsLength() ?? 0); i++) {
    dropped.add(op.axis(options?.squeezeDims(i) ?? 0, shape.length));
  }
  const drops = (axis: number): boolean => (dropped.size === 0 ? shape[axis] === 1 : dropped.has(axis));
  emitReshape(
    op,
    x,
    shape.filter((_, axis) => !drops(axis)),
  );
}

export function expandDims(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const { shape } = x.tensor;
  const axis = op.axis(op.int(1, "axis"), shape.length + 1);
  emitReshape(op, x, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
}
