// mul: every build equals the reference over random broadcasts, scales and zero points; ties go to even.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { binaryCases, binaryGraph } from "../support/binaryCases.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";

const plain = { op: "mul", attrs: { activation: "none" } } as const;

describe("mul", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(binaryCases, fc.double({ min: -4, max: 9, noNaN: true }), (c, exponent) => {
        const { graph, inputs } = binaryGraph("mul", c, (a, b) => a * b * 2 ** exponent);
        expectConformance(graph, inputs);
      }),
      { numRuns: 300, seed: 31 },
    );
  });

  it("rounds ties to even", () => {
    const graph = singleNode(
      plain,
      [activation("a", [4], 0.5, 0), activation("b", [4], 1, 0)],
      [activation("y", [4], 1, 3)],
    );
    const [y] = expectConformance(graph, [Int8Array.of(1, 3, -1, -3), Int8Array.of(1, 1, 1, 1)]);
    expect([...y!]).toEqual([3, 5, 3, 1]);
  });

  it("takes scales to both ends of float32", () => {
    for (const scale of [1e-30, 1e30]) {
      const graph = singleNode(
        plain,
        [activation("a", [3], scale, 0), activation("b", [3], 1e-7, 0)],
        [activation("y", [3], 1, 0)],
      );
      expectConformance(graph, [Int8Array.of(-128, 0, 127), Int8Array.of(1, 1, 1)]);
    }
  });

  it("refuses scales whose product is not finite", () => {
    const graph = singleNode(
      plain,
      [activation("a", [1], 1e30, 0), activation("b", [1], 1e30, 0)],
      [activation("y", [1], 1, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/mul: scales .* pass float32's range/);
  });
});
