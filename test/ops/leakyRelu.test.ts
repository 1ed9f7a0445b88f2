// leakyRelu: every build equals the reference, near the real function, in and out of XNNPACK's ranges.

import fc from "fast-check";
import { describe, it } from "vitest";
import { affine, expectNear } from "../support/tableCases.ts";

describe("leakyRelu", () => {
  it("is near the real function", () => {
    const alpha = fc.constantFrom(0.1, 0.3, 0.01, 0, -0.5, 1.5, 1e-4);
    fc.assert(
      fc.property(alpha, affine, affine, (alpha, from, to) => {
        // Multipliers of eight fraction bits: half a unit more over 255 steps.
        expectNear({ op: "leakyRelu", attrs: { alpha } }, from, to, (x) => (x < 0 ? alpha * x : x), 1.01);
      }),
      { numRuns: 60, seed: 101 },
    );
  });
});
