// meanPool: every build equals the reference over sizes and counts, also counts outside the rows.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";

function graphOf(batch: number, rows: number, width: number, seed: number) {
  const random = new Random(seed);
  const graph = singleNode(
    { op: "meanPool", attrs: {} },
    [
      activation("x", [batch, rows, width], random.real(0.01, 0.1), random.integer(-128, 127)),
      { name: "n", shape: [batch], dtype: "int32" },
    ],
    [activation("y", [batch, width], random.real(0.01, 0.1), random.integer(-128, 127))],
  );
  return {
    graph,
    inputs: [random.int8(batch * rows * width), Int32Array.from({ length: batch }, () => random.integer(-1, rows + 1))],
  };
}

describe("meanPool", () => {
  it("equals the reference on every build", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(size, size, size, fc.integer(), (batch, rows, width, seed) => {
        const { graph, inputs } = graphOf(batch, rows, width, seed);
        expectConformance(graph, inputs);
      }),
      { numRuns: 150, seed: 64 },
    );
  });

  it("is the mean of the rows that count", () => {
    const graph = singleNode(
      { op: "meanPool", attrs: {} },
      [activation("x", [1, 3, 1], 1, 0), { name: "n", shape: [1], dtype: "int32" }],
      [activation("y", [1, 1], 0.5, 1)],
    );
    const y = [0, 1, 2, 3].map(
      (n) => (expectConformance(graph, [Int8Array.of(4, 5, 60), Int32Array.of(n)])[0] as Int8Array)[0],
    );
    expect(y).toEqual([1, 9, 10, 47]);
  });

  it("stays inside the arena or is refused when its step is hostile", () => {
    for (const build of BUILDS) {
      const accepted = expectContained(build, graphOf(2, 5, 7, 2).graph, 3000, 42);
      expect(accepted).toBeGreaterThan(40);
      expect(accepted).toBeLessThan(2900);
    }
  });

  it("refuses counts for another batch", () => {
    const { graph } = graphOf(2, 3, 4, 1);
    const tensors = graph.tensors.map((tensor) => (tensor.name === "n" ? { ...tensor, shape: [3] } : tensor));
    expect(() => validateGraph({ ...graph, tensors })).toThrow(/one number for each of 2 batches/);
  });
});
