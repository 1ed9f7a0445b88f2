// embedding: every build equals the reference, also for ids outside the table.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";

function graphOf(count: number, entries: number, width: number, seed: number) {
  const random = new Random(seed);
  const graph = singleNode(
    { op: "embedding", attrs: {} },
    [
      { name: "ids", shape: [1, count], dtype: "int32" },
      constant("table", [entries, width], "int8", random.int8(entries * width), quant(0.1, 3)),
    ],
    [activation("y", [1, count, width], 0.1, 3)],
  );
  return { graph, ids: Int32Array.from({ length: count }, () => random.integer(-2, entries + 1)) };
}

describe("embedding", () => {
  it("equals the reference on every build", () => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(size, size, size, fc.integer(), (count, entries, width, seed) => {
        const { graph, ids } = graphOf(count, entries, width, seed);
        expectConformance(graph, [ids]);
      }),
      { numRuns: 100, seed: 63 },
    );
  });

  it("clamps ids of any size", () => {
    const { graph } = graphOf(2, 5, 3, 1);
    const table = graph.tensors[1]!.data as Int8Array;
    const [y] = expectConformance(graph, [Int32Array.of(-(2 ** 31), 2 ** 31 - 1)]);
    expect([...(y as Int8Array)]).toEqual([...table.subarray(0, 3), ...table.subarray(12)]);
  });

  it("stays inside the arena or is refused when its step is hostile", () => {
    for (const build of BUILDS) {
      const accepted = expectContained(build, graphOf(5, 9, 7, 2).graph, 3000, 42);
      expect(accepted).toBeGreaterThan(40);
      expect(accepted).toBeLessThan(2900);
    }
  });

  it("refuses another quantization than the table's", () => {
    const { graph } = graphOf(2, 5, 3, 1);
    const tensors = graph.tensors.map((tensor) => (tensor.name === "y" ? { ...tensor, quant: quant(0.2, 3) } : tensor));
    expect(() => validateGraph({ ...graph, tensors })).toThrow(/must have the input's quantization/);
  });
});
