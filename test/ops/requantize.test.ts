// requantize: every build equals the reference, near the real value, within and between int8 and uint8.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LookupKernel } from "../../assembly/abi.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { lowerGraph } from "../../tools/pack/lower.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { affine, expectNear, runTable } from "../support/tableCases.ts";

const node = { op: "requantize", attrs: {} } as const;
const dtype = fc.constantFrom("int8", "uint8");

describe("requantize", () => {
  it("is near the real value", () => {
    fc.assert(
      fc.property(affine, dtype, affine, dtype, (from, fromType, to, toType) => {
        const shift = (type: string, zero: number): number => (type === "uint8" ? zero + 128 : zero);
        expectNear(
          node,
          { scale: from.scale, zero: shift(fromType, from.zero), dtype: fromType },
          { scale: to.scale, zero: shift(toType, to.zero), dtype: toType },
          (x) => x,
          // Multipliers of eight fraction bits: half a unit more over 255 steps.
          1.01,
        );
      }),
      { numRuns: 100, seed: 141 },
    );
  });

  it("turns uint8 into int8 of the same scale by flipping the top bit", () => {
    const from = { scale: 0.1, zero: 130, dtype: "uint8" } as const;
    const { x, y } = runTable(node, from, { scale: 0.1, zero: 2 });
    expect([...y]).toEqual([...x].map((value) => value - 128));
    const graph = singleNode(
      node,
      [activation("x", [8], from.scale, from.zero, "uint8")],
      [activation("y", [8], 0.1, 2)],
    );
    const lowered = lowerGraph(graph);
    expect(lowered.steps[0]?.kernel).toBe(LookupKernel.Flip);
    expect(lowered.params).toHaveLength(0);
  });

  it("rescales int16 by a 31-bit multiplier", () => {
    const x = Int16Array.from({ length: 301 }, (_, i) => i * 217 - 32500);
    const graph = singleNode(node, [activation("x", [301], 0.01, 0, "int16")], [activation("y", [301], 0.013, 3)]);
    const [y] = expectConformance(graph, [x]);
    for (const [i, value] of (y as Int8Array).entries()) {
      const real = (x[i]! * 0.01) / 0.013 + 3;
      expect(Math.abs(value - Math.min(127, Math.max(-128, real)))).toBeLessThanOrEqual(0.51);
    }
  });

  it("refuses a pair of dtypes that no kernel takes", () => {
    const tensors = [activation("x", [1], 1, 0, "int16")];
    const graph = singleNode(node, tensors, [activation("y", [1], 1, 0, "uint8")]);
    expect(() => validateGraph(graph)).toThrow(/rescaling int16 → uint8 is not supported/);
  });

  it("refuses a scale that is not positive", () => {
    const graph = { scale: 0, zero: 0 };
    expect(() => runTable(node, graph, { scale: 1, zero: 0 })).toThrow(
      /tensor "x" has scale 0 but a scale is positive/,
    );
  });
});
