// y = x·Wᵀ + b over the last axis: x [..., in], W [out, in], b [out].

import { elementCount } from "../../graph/graph.ts";
import { expectShape, type Value } from "../trace.ts";

export function dense(x: Value, weights: Value, bias?: Value): Value {
  const [outC, inC] = weights.shape as [number, number];
  expectShape(
    x.shape.at(-1) === inC,
    "dense",
    `the input [${x.shape}] must end in ${inC}, as the weights [${weights.shape}] do.`,
  );
  const rows = elementCount(x.shape) / inC;
  return x.trace.node("dense", bias ? [x, weights, bias] : [x, weights], [...x.shape.slice(0, -1), outC], {
    forward(emit, [x, w, b], y) {
      if (b) emit.call("fillRows", b, y, rows, outC);
      emit.call("gemm", rows, outC, inC, x!, inC, 0, w!, inC, 1, y, outC, b ? 1 : 0);
      return undefined;
    },
    backward(emit, { inputs: [x, w], dOutput, write }) {
      write(0, (dx) => emit.call("gemm", rows, inC, outC, dOutput, outC, 0, w!, inC, 0, dx, inC, 0));
      write(1, (dw) => emit.call("gemm", outC, inC, rows, dOutput, outC, 1, x!, inC, 0, dw, inC, 0));
      if (bias) write(2, (db) => emit.call("sumRows", dOutput, 0, db, rows, outC));
    },
    reference([x, w, b]) {
      const y = new Float64Array(rows * outC);
      for (let r = 0; r < rows; r++) {
        for (let o = 0; o < outC; o++) {
          let sum = b?.[o] ?? 0;
          for (let i = 0; i < inC; i++) sum += x![r * inC + i]! * w![o * inC + i]!;
          y[r * outC + o] = sum;
        }
      }
      return y;
    },
  });
}
