// stridedSlice: every build equals the reference for any begin, stride (also negative) and size.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attributes, DType } from "../../tools/graph/graph.ts";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

function graphOf(shape: readonly number[], attrs: Attributes["stridedSlice"], dtype: DType = "int8") {
  const out = attrs.sizes.filter((_, axis) => !attrs.squeeze.includes(axis));
  return singleNode(
    { op: "stridedSlice", attrs },
    [activation("x", shape, 0.1, 0, dtype)],
    [activation("y", out, 0.1, 0, dtype)],
  );
}

const axis = fc
  .record({
    extent: fc.integer({ min: 1, max: 9 }),
    from: fc.nat(),
    stride: fc.integer({ min: 1, max: 4 }),
    backwards: fc.boolean(),
    size: fc.nat(),
    drop: fc.boolean(),
  })
  .map(({ extent, from, stride, backwards, size, drop }) => {
    const begin = from % extent;
    const most = Math.floor((backwards ? begin : extent - 1 - begin) / stride) + 1;
    return { extent, begin, stride: backwards ? -stride : stride, size: (size % most) + 1, drop };
  });

describe("stridedSlice", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 5 }),
      dtype: fc.constantFrom<DType>("int8", "int16", "float32"),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ axes, dtype, seed }) => {
        const shape = axes.map((a) => a.extent);
        const attrs = {
          begin: axes.map((a) => a.begin),
          strides: axes.map((a) => a.stride),
          sizes: axes.map((a) => a.size),
          squeeze: axes.flatMap((a, i) => (a.drop && a.size === 1 ? [i] : [])),
        };
        expectConformance(graphOf(shape, attrs, dtype), [randomData(dtype, elementCount(shape), seed)]);
      }),
      { numRuns: 200, seed: 12 },
    );
  });

  it("slices a constant backwards", () => {
    const x = constant("x", [5], "int8", Int8Array.of(1, 2, 3, 4, 5), quant(0.1));
    const attrs = { begin: [4], strides: [-2], sizes: [3], squeeze: [] };
    const [out] = expectConformance(singleNode({ op: "stridedSlice", attrs }, [x], [activation("y", [3], 0.1, 0)]), []);
    expect(out).toEqual(Int8Array.of(5, 3, 1));
  });

  it("says what is wrong", () => {
    const past = { begin: [1], strides: [2], sizes: [3], squeeze: [] };
    expect(() => validateGraph(graphOf([5], past))).toThrow(
      "stridedSlice: axis 0 takes 3 elements from 1 by 2 but the input [5] has 5 there; check begin, end and strides.",
    );
    const dropped = { begin: [0], strides: [1], sizes: [2], squeeze: [0] };
    expect(() => validateGraph(graphOf([5], dropped))).toThrow(/cannot be dropped/);
  });
});
