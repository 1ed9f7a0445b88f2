// reduce: every function over any axes equals the reference on every build.

import fc from "fast-check";
import { describe, it } from "vitest";
import type { ReduceName } from "../../tools/graph/graph.ts";
import { conforms, plain } from "../support/floatCases.ts";

const NAMES: readonly ReduceName[] = [
  "sum",
  "mean",
  "max",
  "min",
  "prod",
  "sumSquare",
  "sumAbs",
  "norm",
  "logSumExp",
  "argMax",
  "argMaxLast",
  "argMin",
  "argMinLast",
];

describe("reduce", () => {
  it.each(NAMES)("%s equals the reference", (fn) => {
    const arbitrary = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      mask: fc.nat({ max: 14 }),
      keepDims: fc.boolean(),
      integer: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ shape, mask, keepDims, integer, seed }) => {
        const arg = fn.startsWith("arg");
        const chosen = shape.map((_, i) => i).filter((i) => (mask >> i) & 1);
        const axes = arg || chosen.length === 0 ? [mask % shape.length] : chosen;
        const kept = keepDims
          ? shape.map((size, i) => (axes.includes(i) ? 1 : size))
          : shape.filter((_, i) => !axes.includes(i));
        const whole = integer && !["norm", "logSumExp", "prod"].includes(fn);
        const dtype = whole ? "int32" : "float32";
        conforms(
          { op: "reduce", attrs: { fn, axes, keepDims } },
          [plain("x", shape, dtype)],
          [plain("y", kept, arg ? "int32" : dtype)],
          seed,
        );
      }),
      { numRuns: 25, seed: 4 },
    );
  });
});
