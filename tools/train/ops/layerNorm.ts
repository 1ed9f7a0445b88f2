// Layer normalization over the last axis (Ba, Kiros & Hinton, 2016); gamma and beta are [C].

import { elementCount } from "../../graph/graph.ts";
import type { Value } from "../trace.ts";

export function layerNorm(x: Value, gamma: Value, beta: Value, { epsilon = 1e-5 } = {}): Value {
  const n = x.shape.at(-1)!;
  const rows = elementCount(x.shape) / n;
  return x.trace.node(
    "layerNorm",
    [x, gamma, beta],
    x.shape,
    {
      forward(emit, [x, gamma, beta], y) {
        const normalized = emit.buffer(rows * n);
        const inverse = emit.buffer(rows);
        emit.call("layerNorm", x!, gamma!, beta!, y, normalized, inverse, rows, n, epsilon);
        return [normalized, inverse];
      },
      backward(emit, { inputs: [, gamma], saved: [normalized, inverse], dOutput, write }) {
        write(0, (dx) => emit.call("layerNormBackward", normalized!, inverse!, gamma!, dOutput, dx, rows, n));
        write(1, (dGamma) => emit.call("sumRows", dOutput, normalized!, dGamma, rows, n));
        write(2, (dBeta) => emit.call("sumRows", dOutput, 0, dBeta, rows, n));
      },
      reference([x, gamma, beta]) {
        const y = new Float64Array(rows * n);
        for (let r = 0; r < rows; r++) {
          const row = x!.subarray(r * n, (r + 1) * n);
          const mean = row.reduce((sum, v) => sum + v, 0) / n;
          const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
          row.forEach((v, c) => {
            y[r * n + c] = (gamma![c]! * (v - mean)) / Math.sqrt(variance + epsilon) + beta![c]!;
          });
        }
        return y;
      },
    },
    { epsilon },
  );
}
