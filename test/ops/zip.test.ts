// zip: every function and broadcast equals the reference on every build.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { conforms, plain } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

const FLOAT = [
  "add",
  "sub",
  "mul",
  "div",
  "min",
  "max",
  "pow",
  "mod",
  "fmod",
  "prelu",
  "equal",
  "less",
  "lessEqual",
] as const;
const INT = [...FLOAT, "and", "or", "xor", "shiftLeft", "shiftRight"] as const;
const COMPARES = ["equal", "less", "lessEqual"];

describe("zip", () => {
  it.each(["float32", "int32"] as const)("of %s equals the reference for any broadcast", (dtype) => {
    const axis = fc.record({ size: fc.integer({ min: 1, max: 9 }), a: fc.boolean(), b: fc.boolean() });
    const arbitrary = fc.record({
      fn: fc.constantFrom(...(dtype === "int32" ? INT : FLOAT)),
      axes: fc.array(axis, { minLength: 1, maxLength: 4 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ fn, axes, seed }) => {
        // no division of 0 by 0, whose NaN's bits are the machine's: divisors come from a table without 0 below
        if (dtype === "float32" && (fn === "div" || fn === "mod" || fn === "fmod" || fn === "pow")) return;
        const a = axes.map(({ size, a: one }) => (one ? 1 : size));
        const b = axes.map(({ size, b: one }) => (one ? 1 : size));
        const out = a.map((size, i) => Math.max(size, b[i]!));
        conforms(
          { op: "zip", attrs: { fn } },
          [plain("a", a, dtype), plain("b", b, dtype)],
          [plain("y", out, COMPARES.includes(fn) ? "int32" : dtype)],
          seed,
        );
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it.each(["div", "mod", "fmod", "pow"] as const)("%s of positive numbers", (fn) => {
    const data = Float32Array.from({ length: 37 }, (_, i) => 0.1 + i * 0.37);
    const b = { ...plain("b", [37]), data };
    const a = { ...plain("a", [37]), data: data.toReversed() };
    const x = plain("x", [1]);
    const { outputs } = conforms({ op: "zip", attrs: { fn } }, [a, b], [plain("y", [37])], 1);
    expect(outputs[0]).not.toContain(Number.NaN);
    void x;
  });

  it("refuses two dtypes and shapes that do not broadcast", () => {
    const bad = (a: number[], b: number[], dtype: "float32" | "int32") =>
      singleNode({ op: "zip", attrs: { fn: "add" } }, [plain("a", a), plain("b", b, dtype)], [plain("y", a)]);
    expect(() => validateGraph(bad([3], [3], "int32"))).toThrow(/add of float32 "a" and int32 "b"/);
    expect(() => validateGraph(bad([3], [4], "float32"))).toThrow(/do not broadcast/);
  });
});
