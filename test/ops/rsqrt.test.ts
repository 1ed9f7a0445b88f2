// rsqrt: every build equals the reference; zero and below give the largest output.

import { describe, expect, it } from "vitest";
import { expectNear, runTable } from "../support/tableCases.ts";

const node = { op: "rsqrt", attrs: {} } as const;

describe("rsqrt", () => {
  it("is near the real function", () => {
    expectNear(node, { scale: 0.01, zero: -128 }, { scale: 0.05, zero: -128 }, (x) => 1 / Math.sqrt(x), 0.501);
  });

  it("gives the largest output from zero down", () => {
    const { x, y } = runTable(node, { scale: 0.1, zero: 3 }, { scale: 0.1, zero: 0 });
    for (const [i, value] of x.entries()) if (value <= 3) expect(y[i]).toBe(127);
  });
});
