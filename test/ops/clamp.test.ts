// clamp: every build equals the reference, near the real function, for relu, relu6 and relu_n1_to_1.

import fc from "fast-check";
import { describe, it } from "vitest";
import { affine, expectNear } from "../support/tableCases.ts";

describe("clamp", () => {
  it("is near the real function", () => {
    const bounds = fc.constantFrom([0, Infinity], [0, 6], [-1, 1]);
    fc.assert(
      fc.property(bounds, affine, affine, ([min, max], from, to) => {
        const f = (x: number): number => Math.min(max!, Math.max(min!, x));
        expectNear({ op: "clamp", attrs: { min: min!, max: max! } }, from, to, f, 1);
      }),
      { numRuns: 60, seed: 91 },
    );
  });
});
