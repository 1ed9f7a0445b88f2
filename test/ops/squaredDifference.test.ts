// squaredDifference: every build equals the reference, and both stay near the real function.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { binaryCases, binaryGraph } from "../support/binaryCases.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";

const plain = { op: "squaredDifference", attrs: { activation: "none" } } as const;

describe("squaredDifference", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(binaryCases, fc.double({ min: -11, max: 3, noNaN: true }), (c, exponent) => {
        const { graph, inputs } = binaryGraph("squaredDifference", c, (a, b) => Math.max(a, b) ** 2 * 2 ** exponent);
        expectConformance(graph, inputs);
      }),
      { numRuns: 200, seed: 41 },
    );
  });

  it("is within one unit of the real function", () => {
    const a = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    const b = Int8Array.from(a, (value) => (value * 37) & 127);
    const graph = singleNode(
      plain,
      [activation("a", [256], 0.1, 5), activation("b", [256], 0.07, -9)],
      [activation("y", [256], 2, -128)],
    );
    const [y] = expectConformance(graph, [a, b]);
    for (const [i, value] of (y as Int8Array).entries()) {
      const real = (0.1 * (a[i]! - 5) - 0.07 * (b[i]! + 9)) ** 2 / 2 - 128;
      expect(Math.abs(value - Math.min(127, real))).toBeLessThan(1);
    }
  });

  it("refuses an output scale that the rule cannot reach", () => {
    const graph = singleNode(
      plain,
      [activation("a", [2], 1, 0), activation("b", [2], 1, 0)],
      [activation("y", [2], 1e-6, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/squaredDifference: the output's scale .* is too small/);
  });
});
