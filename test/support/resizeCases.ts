// Cases for the two resizes: random sizes and corner rules, and their graphs.

import fc from "fast-check";
import type { DType } from "../../tools/graph/graph.ts";
import { activation, singleNode } from "./graphs.ts";

export type Corners = "plain" | "aligned" | "half";

export function resizeGraph(
  op: "resizeNearest" | "resizeBilinear",
  shape: readonly [number, number, number, number],
  outH: number,
  outW: number,
  corners: Corners,
  dtype: DType = "int8",
) {
  const attrs = { outH, outW, alignCorners: corners === "aligned", halfPixelCenters: corners === "half" };
  return singleNode(
    { op, attrs },
    [activation("x", shape, 0.1, 4, dtype)],
    [activation("y", [shape[0], outH, outW, shape[3]], 0.1, 4, dtype)],
  );
}

export const resizeCase = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  inH: fc.integer({ min: 1, max: 9 }),
  inW: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 41 }),
  outH: fc.integer({ min: 1, max: 20 }),
  outW: fc.integer({ min: 1, max: 20 }),
  corners: fc.constantFrom<Corners>("plain", "aligned", "half"),
  seed: fc.nat(),
});
