// resizeNearest: every build equals the reference for any size, corner rule and element size.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { randomData } from "../support/random.ts";
import { resizeCase, resizeGraph } from "../support/resizeCases.ts";

describe("resizeNearest", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(resizeCase, fc.constantFrom<DType>("int8", "int16", "float32"), (c, dtype) => {
        const shape = [c.batch, c.inH, c.inW, c.channels] as const;
        const graph = resizeGraph("resizeNearest", shape, c.outH, c.outW, c.corners, dtype);
        expectConformance(graph, [randomData(dtype, elementCount(shape), c.seed)]);
      }),
      { numRuns: 150, seed: 18 },
    );
  });

  it("doubles", () => {
    const graph = resizeGraph("resizeNearest", [1, 1, 3, 1], 2, 6, "plain");
    expect(expectConformance(graph, [Int8Array.of(1, 2, 3)])).toEqual([
      Int8Array.of(1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3),
    ]);
  });

  it("says what is wrong", () => {
    expect(() => validateGraph(resizeGraph("resizeNearest", [1, 2, 2, 1], 0, 2, "plain"))).toThrow(
      "resizeNearest: the new size must be at least 1×1 but is 0×2.",
    );
  });
});
