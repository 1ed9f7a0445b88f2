// split: every build equals the reference, for any axis and sizes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

function graphOf(shape: readonly number[], axis: number, sizes: readonly number[]) {
  const outputs = sizes.map((size, part) =>
    activation(
      `y${part}`,
      shape.map((dim, a) => (a === axis ? size : dim)),
      0.1,
      5,
    ),
  );
  return singleNode({ op: "split", attrs: { axis, sizes } }, [activation("x", shape, 0.1, 5)], outputs);
}

describe("split", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      others: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
      axis: fc.nat(),
      sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ others, axis, sizes, seed }) => {
        const at = axis % (others.length + 1);
        const shape = [...others.slice(0, at), sizes.reduce((sum, size) => sum + size, 0), ...others.slice(at)];
        expectConformance(graphOf(shape, at, sizes), [randomData("int8", elementCount(shape), seed)]);
      }),
      { numRuns: 100, seed: 13 },
    );
  });

  it("says what is wrong", () => {
    expect(() => validateGraph(graphOf([2, 6], 1, [2, 3]))).toThrow(
      "split: the parts [2,3] must add up to axis 1 of [2,6], each at least 1.",
    );
  });
});
