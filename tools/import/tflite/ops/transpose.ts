// TRANSPOSE. Invariant: the permutation names each axis of the input once.

import type { OperatorContext } from "../operator.ts";

export function transpose(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const y = op.output(0, x.tensor, "bare");
  const { shape } = x.tensor;
  const permutation = op.ints(1, "permutation").map((axis) => op.axis(axis, shape.length));
  if (permutation.length !== shape.length || new Set(permutation).size !== shape.length) {
    throw op.contradiction(`has permutation [${permutation}] for ${shape.length} dimensions`);
  }
  op.sameQuantization(x, y);
  op.expectShape(
    y,
    permutation.map((axis) => shape[axis] ?? 0),
  );
  op.emit("transpose", [x], [y], { permutation });
}
