// dequantize: every build equals the reference for any dtype, scale and zero point.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { affineCase } from "../support/affineCase.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

const real = (name: string, shape: readonly number[]) => ({ name, shape, dtype: "float32" as const });

describe("dequantize", () => {
  it("equals the reference on every build", () => {
    const shape = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 });
    fc.assert(
      fc.property(affineCase, shape, fc.nat(), ({ dtype, scale, zero }, shape, seed) => {
        const x = activation("x", shape, scale, zero, dtype);
        const graph = singleNode({ op: "dequantize", attrs: {} }, [x], [real("y", shape)]);
        expectConformance(graph, [randomData(dtype, elementCount(shape), seed)]);
      }),
      { numRuns: 200, seed: 17 },
    );
  });

  it("says what is wrong", () => {
    const graph = singleNode({ op: "dequantize", attrs: {} }, [real("x", [2])], [real("y", [2])]);
    expect(() => validateGraph(graph)).toThrow(/is float32 but the operator takes int8 or uint8 or int16/);
  });
});
