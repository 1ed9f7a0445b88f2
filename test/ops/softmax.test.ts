// softmax: every build equals the reference, and both stay near the real function.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

function softmaxGraph(rows: number, depth: number, scale: number, beta = 1, outScale = 1 / 256, outZero = -128) {
  return singleNode(
    { op: "softmax", attrs: { beta } },
    [activation("x", [rows, depth], scale, 4)],
    [activation("y", [rows, depth], outScale, outZero)],
  );
}

describe("softmax", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(511, 512, 1024, 4095)),
        fc.double({ min: -20, max: 8, noNaN: true }),
        fc.constantFrom(1, 0.5, 2),
        fc.constantFrom(undefined, undefined, 0, 127),
        fc.integer(),
        (rows, depth, exponent, beta, fill, seed) => {
          const count = rows * depth;
          const input = fill === undefined ? new Random(seed).int8(count) : new Int8Array(count).fill(fill);
          expectConformance(softmaxGraph(rows, depth, 2 ** exponent, beta), [input]);
        },
      ),
      { numRuns: 150, seed: 81 },
    );
  });

  it("is within one unit of the real function", () => {
    const depth = 10;
    const input = new Random(3).int8(50 * depth);
    const [y] = expectConformance(softmaxGraph(50, depth, 0.08), [input]);
    for (let row = 0; row < 50; row++) {
      const e = [...input.subarray(row * depth, (row + 1) * depth)].map((x) => Math.exp(0.08 * x));
      const sum = e.reduce((a, b) => a + b);
      for (const [i, value] of e.entries()) {
        const real = Math.min(127, (256 * value) / sum - 128);
        expect(Math.abs((y![row * depth + i] as number) - real)).toBeLessThan(1);
      }
    }
  });

  it("rescales to an output of another scale", () => {
    const graph = softmaxGraph(3, 7, 0.1, 1, 1 / 128, 0);
    const [y] = expectConformance(graph, [new Random(4).int8(21)]);
    const [natural] = expectConformance(softmaxGraph(3, 7, 0.1), [new Random(4).int8(21)]);
    for (const [i, value] of (y as Int8Array).entries()) {
      expect(Math.abs(value - ((natural![i] as number) + 128) / 2)).toBeLessThanOrEqual(0.5);
    }
  });

  it("refuses a row that could overflow its sum", () => {
    expect(() => validateGraph(softmaxGraph(1, 4096, 0.1))).toThrow(/softmax over 4096 values .* at most 4095/);
  });
});
