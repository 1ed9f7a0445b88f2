// logistic: every build equals the reference, within half a unit of the real function.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponential } from "../../tools/ops/exponential.ts";
import { affine, expectNear } from "../support/tableCases.ts";

describe("logistic", () => {
  it("is near the real function", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        expectNear({ op: "logistic", attrs: {} }, from, to, (x) => 1 / (1 + Math.exp(-x)), 0.501);
      }),
      { numRuns: 60, seed: 121 },
    );
  });

  it("stays finite at the widest scales", () => {
    for (const scale of [1e-30, 1e3, 1e30]) {
      expectNear(
        { op: "logistic", attrs: {} },
        { scale, zero: 0 },
        { scale: 1 / 256, zero: -128 },
        (x) => 1 / (1 + Math.exp(-x)),
        0.501,
      );
    }
  });

  it("has an exponential as good as the host's", () => {
    for (let x = -100; x <= 100; x += 0.37) {
      expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(2 ** -50);
    }
  });
});
