// hardSwish: every build equals the reference, within half a unit of the real function.

import fc from "fast-check";
import { describe, it } from "vitest";
import { affine, expectNear } from "../support/tableCases.ts";

describe("hardSwish", () => {
  it("is near the real function", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        const f = (x: number): number => (x * Math.min(6, Math.max(0, x + 3))) / 6;
        expectNear({ op: "hardSwish", attrs: {} }, from, to, f, 0.501);
      }),
      { numRuns: 60, seed: 111 },
    );
  });
});
