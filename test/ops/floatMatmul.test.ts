// floatMatmul: any sizes, batches and layouts of b, constant and computed, float32 and int32, on every build.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { conforms, integers, plain, weights } from "../support/floatCases.ts";
import { constant, singleNode } from "../support/graphs.ts";

const OPEN = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

describe("floatMatmul", () => {
  it("equals the reference on every build", () => {
    const size = fc.integer({ min: 1, max: 37 });
    const arbitrary = fc.record({
      m: size,
      n: size,
      k: size,
      transposeB: fc.boolean(),
      fixed: fc.boolean(),
      bias: fc.boolean(),
      clamp: fc.boolean(),
      integer: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ m, n, k, transposeB, fixed, bias, clamp, integer, seed }) => {
        const dtype = integer ? "int32" : "float32";
        const shape = transposeB ? [n, k] : [k, n];
        const b = !fixed
          ? plain("b", shape, dtype)
          : integer
            ? constant("b", shape, "int32", integers(n * k, seed))
            : weights("b", shape, seed);
        const attrs = { transposeB, ...(clamp && !integer ? { min: -1, max: 2 } : OPEN) };
        const own = bias && fixed && !integer ? [weights("bias", [n], seed + 1)] : [];
        conforms(
          { op: "floatMatmul", attrs },
          [plain("a", [m, k], dtype), b, ...own],
          [plain("y", [m, n], dtype)],
          seed,
        );
      }),
      { numRuns: 80, seed: 5 },
    );
  });

  it.each([
    [
      [2, 3, 4, 5],
      [2, 3, 5, 6],
      [2, 3, 4, 6],
    ],
    [
      [2, 3, 4, 5],
      [5, 6],
      [2, 3, 4, 6],
    ],
    [
      [4, 5],
      [3, 5, 6],
      [3, 4, 6],
    ],
    [
      [2, 1, 4, 5],
      [1, 3, 5, 6],
      [2, 3, 4, 6],
    ],
    [
      [2, 1, 2, 4, 5],
      [1, 3, 2, 5, 6],
      [2, 3, 2, 4, 6],
    ],
  ])("[%s] × [%s]", (a, b, out) => {
    conforms(
      { op: "floatMatmul", attrs: { transposeB: false, ...OPEN } },
      [plain("a", a), plain("b", b)],
      [plain("y", out)],
      9,
    );
  });

  it("refuses inner sizes that differ", () => {
    const graph = singleNode(
      { op: "floatMatmul", attrs: { transposeB: false, ...OPEN } },
      [plain("a", [2, 3]), plain("b", [4, 5])],
      [plain("y", [2, 5])],
    );
    expect(() => validateGraph(graph)).toThrow(/do not share their inner size/);
  });
});
