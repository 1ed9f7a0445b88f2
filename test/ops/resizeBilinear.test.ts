// resizeBilinear: every build equals the reference for any size and corner rule.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { randomData } from "../support/random.ts";
import { resizeCase, resizeGraph } from "../support/resizeCases.ts";

describe("resizeBilinear", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(resizeCase, (c) => {
        const shape = [c.batch, c.inH, c.inW, c.channels] as const;
        const graph = resizeGraph("resizeBilinear", shape, c.outH, c.outW, c.corners);
        expectConformance(graph, [randomData("int8", elementCount(shape), c.seed)]);
      }),
      { numRuns: 200, seed: 19 },
    );
  });

  it("interpolates, halves away from zero", () => {
    const graph = resizeGraph("resizeBilinear", [1, 1, 2, 2], 1, 3, "aligned");
    expect(expectConformance(graph, [Int8Array.of(1, -1, 2, -2)])).toEqual([Int8Array.of(1, -1, 2, -2, 2, -2)]);
  });

  it("stays inside where the rounded scale leads past the end", () => {
    const graph = resizeGraph("resizeBilinear", [1, 1, 3, 1], 1, 4000, "plain");
    const [out] = expectConformance(graph, [Int8Array.of(0, 50, 100)]);
    expect(out!.at(-1)).toBe(100);
  });

  it("says what is wrong", () => {
    const graph = resizeGraph("resizeBilinear", [1, 2, 2, 1], 2, 2, "half");
    (graph.nodes[0]!.attrs as { alignCorners: boolean }).alignCorners = true;
    expect(() => validateGraph(graph)).toThrow(/corners cannot be aligned with half-pixel centres/);
  });
});
