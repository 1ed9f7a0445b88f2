// Softmax over the last axis.

import { elementCount } from "../../graph/graph.ts";
import type { Value } from "../trace.ts";

export function softmax(x: Value): Value {
  const n = x.shape.at(-1)!;
  const rows = elementCount(x.shape) / n;
  return x.trace.node("softmax", [x], x.shape, {
    forward(emit, [x], y) {
      emit.call("softmax", x!, y, rows, n);
      return undefined;
    },
    backward(emit, { output, dOutput, write }) {
      write(0, (dx) => emit.call("softmaxBackward", output, dOutput, dx, rows, n));
    },
    reference: ([x]) => softmaxRows(x!, n),
  });
}

export function softmaxRows(x: Float64Array, n: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let r = 0; r < x.length; r += n) {
    const row = x.subarray(r, r + n);
    const most = Math.max(...row);
    const sum = row.reduce((total, v) => total + Math.exp(v - most), 0);
    row.forEach((v, i) => {
      y[r + i] = Math.exp(v - most) / sum;
    });
  }
  return y;
}
