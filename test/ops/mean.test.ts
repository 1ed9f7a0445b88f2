// mean: every build equals the reference over random shapes, axes, scales and zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const byte = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 0, 127));

function meanGraph(
  shape: readonly number[],
  axes: readonly number[],
  keepDims: boolean,
  zeros: readonly [number, number],
  outScale: number,
) {
  const kept = shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keepDims ? [1] : []));
  return singleNode(
    { op: "mean", attrs: { axes, keepDims } },
    [activation("x", shape, 0.05, zeros[0])],
    [activation("y", kept, outScale, zeros[1])],
  );
}

describe("mean", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 17, 33));
  it("equals the reference on every build, where the reduced axes lie together", () => {
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        fc.tuple(byte, byte),
        fc.double({ min: -5, max: 3, noNaN: true }),
        fc.integer(),
        (shape, a, b, keepDims, zeros, exponent, seed) => {
          const ends = [a % shape.length, b % shape.length].sort((x, y) => x - y) as [number, number];
          const axes = [...shape.keys()].slice(ends[0], ends[1] + 1);
          const graph = meanGraph(shape, axes, keepDims, zeros, 0.05 * 2 ** exponent);
          expectConformance(graph, [new Random(seed).int8(shape.reduce((x, y) => x * y))]);
        },
      ),
      { numRuns: 300, seed: 71 },
    );
  });

  it("equals the reference on every build, whatever the axes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 6 }),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.boolean(),
        fc.integer(),
        (shape, chosen, keepDims, seed) => {
          const axes = [...shape.keys()].filter((axis) => chosen[axis]);
          const graph = meanGraph(shape, axes, keepDims, [-7, 11], 0.05);
          expectConformance(graph, [new Random(seed).int8(shape.reduce((x, y) => x * y))]);
        },
      ),
      { numRuns: 150, seed: 72 },
    );
  });

  it("sums thousands of extremes exactly", () => {
    for (const fill of [-128, 127]) {
      for (const shape of [
        [3000, 5],
        [5, 3000],
      ]) {
        const axis = shape.indexOf(3000);
        const graph = meanGraph(shape, [axis], false, [3, -4], 0.05);
        const [y] = expectConformance(graph, [new Int8Array(15000).fill(fill)]);
        expect([...y!]).toEqual(Array(5).fill(Math.max(-128, fill - 7)));
      }
    }
  });

  it("refuses axes that the input does not have", () => {
    const graph = meanGraph([2, 3], [2], false, [0, 0], 1);
    expect(() => validateGraph(graph)).toThrow("mean: axes [2] are not distinct axes of [2,3]");
  });
});
