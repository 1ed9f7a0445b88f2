// Mean over neighbouring axes `from` … `to` (both included), which are dropped.

import { elementCount } from "../../graph/graph.ts";
import { expectShape, type Value } from "../trace.ts";

export function mean(x: Value, from: number, to: number): Value {
  expectShape(
    from >= 0 && from <= to && to < x.shape.length,
    "mean",
    `axes ${from} … ${to} are not all in [${x.shape}].`,
  );
  const outer = elementCount(x.shape.slice(0, from));
  const reduce = elementCount(x.shape.slice(from, to + 1));
  const inner = elementCount(x.shape.slice(to + 1));
  const shape = [...x.shape.slice(0, from), ...x.shape.slice(to + 1)];
  return x.trace.node(
    "mean",
    [x],
    shape.length > 0 ? shape : [1],
    {
      forward(emit, [x], y) {
        emit.call("mean", x!, y, outer, reduce, inner);
        return undefined;
      },
      backward(emit, { dOutput, write }) {
        write(0, (dx) => emit.call("meanBackward", dOutput, dx, outer, reduce, inner));
      },
      reference([x]) {
        const y = new Float64Array(outer * inner);
        for (let i = 0; i < x!.length; i++) {
          y[Math.floor(i / (reduce * inner)) * inner + (i % inner)]! += x![i]! / reduce;
        }
        return y;
      },
    },
    { axes: Array.from({ length: to - from + 1 }, (_, i) => from + i) },
  );
}
