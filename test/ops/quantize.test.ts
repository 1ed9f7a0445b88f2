// quantize: every build equals the reference for any float, also the odd ones.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DType } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { affineCase } from "../support/affineCase.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";

const real = (name: string, shape: readonly number[]) => ({ name, shape, dtype: "float32" as const });

function quantizing(count: number, dtype: DType, scale: number, zero: number) {
  return singleNode(
    { op: "quantize", attrs: {} },
    [real("x", [count])],
    [activation("y", [count], scale, zero, dtype)],
  );
}

describe("quantize", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(
        affineCase,
        fc.array(fc.float(), { minLength: 1, maxLength: 40 }),
        ({ dtype, scale, zero }, values) => {
          expectConformance(quantizing(values.length, dtype, scale, zero), [Float32Array.from(values)]);
        },
      ),
      { numRuns: 300, seed: 16 },
    );
  });

  it("rounds ties to even, saturates, and takes NaN for zero", () => {
    const x = Float32Array.of(0.5, 1.5, -0.5, -1.5, Number.NaN, Infinity, -Infinity, 3e38, -0);
    const [out] = expectConformance(quantizing(9, "int8", 1, 3), [x]);
    expect(out).toEqual(Int8Array.of(3, 5, 3, 1, 3, 127, -128, 127, 3));
  });

  it("says what is wrong", () => {
    const y = { ...activation("y", [2], 0.1, 0), dtype: "int32" as const };
    const graph = singleNode({ op: "quantize", attrs: {} }, [real("x", [2])], [y]);
    expect(() => validateGraph(graph)).toThrow(
      'quantize: the output "y" is int32 but only int8, uint8 and int16 are supported; quantize to one of them.',
    );
  });
});
