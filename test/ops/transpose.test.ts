// transpose: every build equals the reference for any permutation, element size and number of axes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DType } from "../../tools/graph/graph.ts";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

function graphOf(shape: readonly number[], permutation: readonly number[], dtype: DType = "int8") {
  const out = permutation.map((axis) => shape[axis]!);
  const node = { op: "transpose", attrs: { permutation } } as const;
  return singleNode(node, [activation("x", shape, 0.1, 0, dtype)], [activation("y", out, 0.1, 0, dtype)]);
}

/** The permutation that sorts `keys`. */
const sorting = (keys: readonly number[]) => keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);

describe("transpose", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
      keys: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 6, maxLength: 6 }),
      dtype: fc.constantFrom<DType>("int8", "uint8", "int16", "int32", "float32", "int64"),
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ shape, keys, dtype, seed }) => {
        // An int64 element is one more axis, of two halves.
        const rank = dtype === "int64" ? Math.min(5, shape.length) : shape.length;
        const permutation = sorting(keys.slice(0, rank));
        const dims = shape.slice(0, rank);
        expectConformance(graphOf(dims, permutation, dtype), [randomData(dtype, elementCount(dims), seed)]);
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  it("moves long runs and whole planes", () => {
    for (const [shape, permutation] of [
      [
        [3, 40, 7],
        [0, 2, 1],
      ],
      [
        [10, 4, 33],
        [1, 0, 2],
      ],
      [
        [17, 19],
        [1, 0],
      ],
      [
        [2, 3, 40],
        [1, 0, 2],
      ],
    ] as const) {
      const [out] = expectConformance(graphOf(shape, permutation), [randomData("int8", elementCount(shape), 5)]);
      expect(out).toHaveLength(elementCount(shape));
    }
  });

  it("is no step where only axes of size 1 change places", () => {
    expect(buildImage(graphOf([1, 5, 1, 3], [1, 0, 3, 2])).lowered.steps).toHaveLength(0);
  });

  it("transposes a constant once, in the packer", () => {
    const x = constant("x", [2, 3], "int8", Int8Array.of(1, 2, 3, 4, 5, 6), quant(0.1));
    const node = { op: "transpose", attrs: { permutation: [1, 0] } } as const;
    const [out] = expectConformance(singleNode(node, [x], [activation("y", [3, 2], 0.1, 0)]), []);
    expect(out).toEqual(Int8Array.of(1, 4, 2, 5, 3, 6));
  });

  it("says what is wrong", () => {
    expect(() => validateGraph(graphOf([2, 3], [0, 0]))).toThrow(
      "transpose: the permutation [0,0] must name each of the 2 axes of [2,3] once.",
    );
    const seven = graphOf([2, 2, 2, 2, 2, 2, 2], [6, 5, 4, 3, 2, 1, 0]);
    expect(() => buildImage(seven)).toThrow(/takes 7 separate axes but at most 6 are supported/);
  });
});
