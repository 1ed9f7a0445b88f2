// tanh: every build equals the reference, within half a unit of the real function, near zero too.

import fc from "fast-check";
import { describe, it } from "vitest";
import { affine, expectNear } from "../support/tableCases.ts";

describe("tanh", () => {
  it("is near the real function", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        expectNear({ op: "tanh", attrs: {} }, from, to, Math.tanh, 0.501);
      }),
      { numRuns: 60, seed: 131 },
    );
  });

  it("keeps its precision near zero and its sign far from it", () => {
    const node = { op: "tanh", attrs: {} } as const;
    expectNear(node, { scale: 1e-9, zero: 0 }, { scale: 1e-9, zero: 0 }, Math.tanh, 0.001);
    expectNear(node, { scale: 1e9, zero: 0 }, { scale: 1 / 100, zero: 0 }, Math.tanh, 0.001);
  });
});
