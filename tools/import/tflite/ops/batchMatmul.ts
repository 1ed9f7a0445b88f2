// BATCH_MATMUL. Invariant: the inner dimensions agree, and the leading ones broadcast.

import { BatchMatMulOptions, BuiltinOptions } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { broadcast } from "./elementwise.ts";

export function batchMatmul(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.BatchMatMulOptions, new BatchMatMulOptions());
  const transposeA = options?.adjX() ?? false;
  const transposeB = options?.adjY() ?? false;
  const a = op.activation(0);
  const b = op.activation(1);
  const y = op.output(0, a.tensor);
  if (a.tensor.dtype !== b.tensor.dtype) {
    throw op.unsupported(`has inputs of types ${a.tensor.dtype} and ${b.tensor.dtype}, expected one type`);
  }
  const [shapeA, shapeB] = [a.tensor.shape, b.tensor.shape];
  if (shapeA.length < 2 || shapeB.length < 2) {
    throw op.contradiction(`has inputs of shapes [${shapeA}] and [${shapeB}], expected at least two dimensions`);
  }
  const [rows, innerA] = matrix(shapeA, transposeA);
  const [innerB, columns] = matrix(shapeB, transposeB);
  const batch = broadcast(shapeA.slice(0, -2), shapeB.slice(0, -2));
  if (innerA !== innerB || batch === undefined) {
    throw op.contradiction(`multiplies shapes [${shapeA}] and [${shapeB}], which do not fit`);
  }
  op.expectShape(y, [...batch, rows, columns]);
  op.emit("batchMatmul", [a, b], [y], { transposeA, transposeB });
}

function matrix(shape: readonly number[], transposed: boolean): [number, number] {
  const [rows = 0, columns = 0] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}
