// Batched matrix product: a [..., M, K] · b [..., K, N], or b [..., N, K] with `transposeB`; equal leading axes.

import { elementCount } from "../../graph/graph.ts";
import { expectShape, type Value } from "../trace.ts";

export function matmul(a: Value, b: Value, { transposeB = false } = {}): Value {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const fits = b.shape.at(transposeB ? -1 : -2) === k && a.shape.slice(0, -2).join() === b.shape.slice(0, -2).join();
  expectShape(
    a.shape.length >= 2 && fits,
    "matmul",
    `[${a.shape}] · [${b.shape}]${transposeB ? "ᵀ" : ""} do not fit together.`,
  );
  const batches = elementCount(a.shape.slice(0, -2));
  const tb = transposeB ? 1 : 0;
  const ldb = transposeB ? k : n;
  return a.trace.node(
    "matmul",
    [a, b],
    [...a.shape.slice(0, -1), n],
    {
      forward(emit, [a, b], y) {
        emit.call("gemmBatched", batches, m * k, k * n, m * n, m, n, k, a!, k, 0, b!, ldb, tb, y, n, 0);
        return undefined;
      },
      backward(emit, { inputs: [a, b], dOutput, write }) {
        // da = dy·bᵀ, and db = aᵀ·dy or, as it lies, dyᵀ·a
        write(0, (da) =>
          emit.call("gemmBatched", batches, m * n, k * n, m * k, m, k, n, dOutput, n, 0, b!, ldb, 1 - tb, da, k, 0),
        );
        write(1, (db) => {
          if (transposeB)
            emit.call("gemmBatched", batches, m * n, m * k, k * n, n, k, m, dOutput, n, 1, a!, k, 0, db, k, 0);
          else emit.call("gemmBatched", batches, m * k, m * n, k * n, k, n, m, a!, k, 1, dOutput, n, 0, db, n, 0);
        });
      },
      reference([a, b]) {
        const y = new Float64Array(batches * m * n);
        for (let batch = 0; batch < batches; batch++) {
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let sum = 0;
              for (let p = 0; p < k; p++) {
                sum += a![(batch * m + i) * k + p]! * b![batch * k * n + (transposeB ? j * k + p : p * n + j)]!;
              }
              y[(batch * m + i) * n + j] = sum;
            }
          }
        }
        return y;
      },
    },
    { transposeB },
  );
}
