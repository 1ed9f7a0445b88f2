// concat: every build equals the reference, with equal and with unequal quantization, 8 and 16 bits,
// and a fused activation.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Activation, type DType, elementCount, type Tensor } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

function graphOf(inputs: readonly Tensor[], axis: number, output: Tensor, fused: Activation = "none") {
  return singleNode({ op: "concat", attrs: { axis, activation: fused } }, inputs, [output]);
}

describe("concat", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      others: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
      axis: fc.nat(),
      parts: fc.array(
        fc.record({
          size: fc.integer({ min: 1, max: 40 }),
          scale: fc.constantFrom(0.1, 0.1, 0.03, 0.7),
          shift: fc.nat(3),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      dtype: fc.constantFrom<DType>("int8", "uint8", "int16"),
      zero: fc.integer({ min: 0, max: 100 }),
      fused: fc.constantFrom<Activation>("none", "none", "relu", "relu6"),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ others, axis, parts, dtype, zero, fused, seed }) => {
        const at = axis % (others.length + 1);
        const shape = (size: number) => [...others.slice(0, at), size, ...others.slice(at)];
        const inputs = parts.map(({ size, scale, shift }, i) =>
          activation(`x${i}`, shape(size), scale, zero + (scale === 0.1 ? 0 : shift), dtype),
        );
        const total = parts.reduce((sum, part) => sum + part.size, 0);
        const output = activation("y", shape(total), 0.1, zero, dtype);
        const data = inputs.map((input, i) => randomData(dtype, elementCount(input.shape), seed + i));
        expectConformance(graphOf(inputs, at, output, fused), data);
      }),
      { numRuns: 200, seed: 14 },
    );
  });

  it("rescales by the real value, ties to even", () => {
    const g = graphOf(
      [activation("a", [1, 4], 0.5, 0), activation("b", [1, 1], 1, 0)],
      1,
      activation("y", [1, 5], 1, 0),
    );
    expect(expectConformance(g, [Int8Array.of(1, 3, 5, -127), Int8Array.of(7)])).toEqual([
      Int8Array.of(0, 2, 2, -64, 7),
    ]);
  });

  it("says what is wrong", () => {
    const [a, b] = [activation("a", [2, 3], 0.1, 0), activation("b", [3, 3], 0.1, 0)];
    expect(() => validateGraph(graphOf([a, b], 1, activation("y", [2, 6], 0.1, 0)))).toThrow(
      "concat: input 1 is int8 [3,3] but must be int8 [2,3] on all axes other than 1; reshape or convert it first.",
    );
    const raw: Tensor = { name: "b", shape: [2, 3], dtype: "int8" };
    expect(() => validateGraph(graphOf([a, raw], 1, activation("y", [2, 6], 0.1, 0)))).toThrow(/both be quantized/);
  });
});
