// Arithmetic on shapes that a model does at run time, done once here: converters emit SHAPE,
// STRIDED_SLICE and PACK before a RESHAPE when the batch size was open.
// Invariant: only int32 and int64 values of static shapes and constants are computed, never activations.

import { BuiltinOperator, TensorType } from "./generated/tflite.ts";
import type { OperatorContext } from "./operator.ts";
import { resolveRanges } from "./ops/slice.ts";

/** More than any shape has; without a limit a hostile file could double a list with every operator. */
const MAX_VALUES = 64;

/** True when the operator's values are now known, so that it needs no node. */
export function foldShape(op: OperatorContext, builtin: number): boolean {
  const type = op.outputType();
  if (type !== TensorType.INT32 && type !== TensorType.INT64) return false;
  const values = compute(op, builtin);
  if (values === undefined || values.length > MAX_VALUES) return false;
  op.know(values);
  return true;
}

function compute(op: OperatorContext, builtin: number): readonly number[] | undefined {
  if (builtin === BuiltinOperator.SHAPE) return op.input(0).tensor.shape;
  for (let i = 0; i < op.inputCount; i++) if (!op.isKnown(i)) return undefined;
  const inputs = (): number[][] => Array.from({ length: op.inputCount }, (_, i) => op.ints(i, "operand"));
  switch (builtin) {
    case BuiltinOperator.STRIDED_SLICE: {
      const [values = []] = inputs();
      const [range] = resolveRanges(op, [values.length]).ranges;
      if (range === undefined || range.count < 0) return undefined;
      return Array.from({ length: range.count }, (_, i) => values[range.begin + i * range.stride] ?? 0);
    }
    case BuiltinOperator.PACK:
    case BuiltinOperator.CONCATENATION:
      return inputs().flat();
    case BuiltinOperator.MUL: {
      const [a = [], b = []] = inputs();
      if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
      const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i] ?? 0;
      return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => at(a, i) * at(b, i));
    }
    case BuiltinOperator.RESHAPE:
    case BuiltinOperator.SQUEEZE:
    case BuiltinOperator.EXPAND_DIMS:
    case BuiltinOperator.CAST:
      return inputs()[0];
    default:
      return undefined;
  }
}
