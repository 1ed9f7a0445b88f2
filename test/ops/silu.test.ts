// silu: every build equals the reference, within half a unit of the real function.

import fc from "fast-check";
import { describe, it } from "vitest";
import { affine, expectNear } from "../support/tableCases.ts";

describe("silu", () => {
  it("is near the real function", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        expectNear({ op: "silu", attrs: {} }, from, to, (x) => x / (1 + Math.exp(-x)), 0.501);
      }),
      { numRuns: 60, seed: 122 },
    );
  });
});
