// pad: every build equals the reference for any paddings, dtype and value.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

function graphOf(
  shape: readonly number[],
  paddings: readonly (readonly [number, number])[],
  value: number,
  dtype: DType,
  zero: number,
) {
  const out = shape.map((dim, axis) => dim + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
  return singleNode(
    { op: "pad", attrs: { paddings, value } },
    [activation("x", shape, 0.1, zero, dtype)],
    [activation("y", out, 0.1, zero, dtype)],
  );
}

describe("pad", () => {
  it("equals the reference on every build", () => {
    const count = fc.integer({ min: 0, max: 3 });
    const arbitrary = fc.record({
      axes: fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), count, count), { minLength: 1, maxLength: 5 }),
      value: fc.constantFrom(0, 0, 1.25, -3, 1000),
      dtype: fc.constantFrom<DType>("int8", "uint8", "int16", "int32", "float32"),
      zero: fc.integer({ min: 0, max: 120 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ axes, value, dtype, zero, seed }) => {
        const shape = axes.map(([dim]) => dim);
        const paddings = axes.map(([, before, after]) => [before, after] as const);
        expectConformance(graphOf(shape, paddings, value, dtype, zero), [randomData(dtype, elementCount(shape), seed)]);
      }),
      { numRuns: 200, seed: 15 },
    );
  });

  it("fills with the zero point", () => {
    const g = graphOf(
      [1, 2],
      [
        [1, 0],
        [0, 2],
      ],
      0,
      "int8",
      -7,
    );
    expect(expectConformance(g, [Int8Array.of(5, 6)])).toEqual([Int8Array.of(-7, -7, -7, -7, 5, 6, -7, -7)]);
  });

  it("says what is wrong", () => {
    expect(() => validateGraph(graphOf([1, 2], [[1, 0]], 0, "int8", 0))).toThrow(
      "pad: the paddings [[1,0]] must give two counts of at least 0 to each of the 2 axes of [1,2].",
    );
  });
});
