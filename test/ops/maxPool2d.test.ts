// maxPool2d: every build equals the reference over random windows.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { poolCases, poolGraph } from "../support/poolCases.ts";

describe("maxPool2d", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(poolCases, (c) => {
        const { graph, input } = poolGraph("maxPool2d", c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 200, seed: 61 },
    );
  });

  it("refuses a window of more cells than it can count", () => {
    const padding = { top: 0, bottom: 0, left: 0, right: 0 };
    const graph = singleNode(
      {
        op: "maxPool2d",
        attrs: { kernelH: 300, kernelW: 300, strideH: 1, strideW: 1, padding, activation: "none" },
      },
      [activation("x", [1, 300, 300, 1], 0.5, 0)],
      [activation("y", [1, 1, 1, 1], 0.5, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/a window of 300×300 has more than 65536 cells/);
  });
});
