// gelu: every build equals the reference, within half a unit of the real function, exact or approximate.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { affine, expectNear, runTable } from "../support/tableCases.ts";

/** Φ by Simpson's rule over the density: slow, and independent of the operator's own. */
function normal(x: number): number {
  const n = 2000;
  const from = -12;
  if (x < from) return 0;
  const h = (Math.min(x, 12) - from) / n;
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(from) + density(from + n * h);
  for (let i = 1; i < n; i++) sum += density(from + i * h) * (i % 2 ? 4 : 2);
  return (sum * h) / 3;
}

describe("gelu", () => {
  it("is near the real function", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        expectNear({ op: "gelu", attrs: { approximate: false } }, from, to, (x) => x * normal(x), 0.501);
      }),
      { numRuns: 20, seed: 123 },
    );
  });

  it("is near its approximation by tanh", () => {
    fc.assert(
      fc.property(affine, affine, (from, to) => {
        const f = (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
        expectNear({ op: "gelu", attrs: { approximate: true } }, from, to, f, 0.501);
      }),
      { numRuns: 60, seed: 124 },
    );
  });

  it("knows 0 and 1", () => {
    const { x, y } = runTable(
      { op: "gelu", attrs: { approximate: false } },
      { scale: 1, zero: 0 },
      { scale: 1 / 1000, zero: 0 },
    );
    expect(y[x.indexOf(0)]).toBe(0);
    expect(y[x.indexOf(-1)]).toBe(-128);
    expect(y[x.indexOf(-3)]).toBe(-4);
  });
});
