// Rounding by what is known of a layer's inputs: the compensated error against rounding to the nearest, groups and
// codebooks against one scale a channel, and scales a channel against one scale a tensor.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compensated, compensation } from "../../tools/quantize/compensate.ts";
import { realWeights, weightedLayers } from "../../tools/quantize/layers.ts";
import { outputError } from "../../tools/quantize/moments.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { roundToGrid } from "../../tools/quantize/rounding.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

/** H of inputs that share a few causes, as those of a layer after a layer do. */
function related(size: number, seed: number): Float64Array {
  const random = new Random(seed);
  const causes = Array.from({ length: size }, () => Array.from({ length: 6 }, () => random.real(-1, 1)));
  const matrix = new Float64Array(size * size);
  for (let n = 0; n < 4 * size; n++) {
    const own = Array.from({ length: 6 }, () => random.real(-1, 1));
    const x = causes.map((row) => row.reduce((sum, weight, i) => sum + weight * own[i]!, 0.1 * random.real(-1, 1)));
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) matrix[i * size + j]! += x[i]! * x[j]!;
  }
  return matrix;
}

const errorsOf = (weights: Float64Array, codes: Int8Array, scale: number): Float64Array =>
  weights.map((weight, i) => weight - scale * codes[i]!);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const decibel = (better: number, worse: number): number => 10 * Math.log10(worse / better);

describe("compensated rounding", () => {
  it("to four bits is at least 3 dB better than to the nearest where inputs are related", () => {
    const matrix = related(64, 1);
    const made = compensation(matrix, 64);
    const random = new Random(2);
    const [near, better] = [[] as number[], [] as number[]];
    for (let n = 0; n < 16; n++) {
      const weights = Float64Array.from({ length: 64 }, () => random.real(-1, 1) + random.real(-1, 1));
      const { scale, values } = roundToGrid(weights, -8, 7, false, 1);
      const clamp = (value: number): number => Math.max(-8, Math.min(7, Math.round(value / scale)));
      near.push(outputError(matrix, errorsOf(weights, values, scale)));
      better.push(
        outputError(
          matrix,
          errorsOf(
            weights,
            compensated(weights, made, clamp, (code) => code * scale),
            scale,
          ),
        ),
      );
    }
    expect(decibel(sum(better), sum(near))).toBeGreaterThan(3);
  });

  it("never has a larger output error than to the nearest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 1, max: 127 }),
        (size, seed, most) => {
          const matrix = related(size, seed);
          const random = new Random(seed);
          const weights = Float64Array.from({ length: size }, () => random.real(-1, 1));
          const scale = 1 / most;
          const clamp = (value: number): number => Math.max(-most, Math.min(most, Math.round(value / scale)));
          const codes = compensated(weights, compensation(matrix, size), clamp, (code) => code * scale);
          const nearest = Int8Array.from(weights, clamp);
          expect(outputError(matrix, errorsOf(weights, codes, scale))).toBeLessThanOrEqual(
            outputError(matrix, errorsOf(weights, nearest, scale)) + 1e-12,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("takes inputs that are always 0", () => {
    const weights = Float64Array.of(0.3, -0.7);
    const codes = compensated(weights, compensation(new Float64Array(4), 2), Math.round, (code) => code);
    expect([...codes]).toEqual([0, -1]);
  });
});

describe("one scale a channel", () => {
  it.each(["int8", "int7", "int4", "int4:asym"])("never loses to one scale a tensor on weight error: %s", (text) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 100000 }),
        fc.boolean(),
        (outC, inC, seed, whole) => {
          const random = new Random(seed);
          const reals = Float64Array.from({ length: outC * inC }, () =>
            whole ? random.integer(-127, 127) : random.real(-1, 1) * 10 ** random.real(-2, 1),
          );
          const graph = singleNode(
            { op: "fullyConnected", attrs: { activation: "none" } },
            [
              activation("x", [1, inC], 0.1, 0),
              constant("w", [outC, inC], "int8", new Int8Array(outC * inC), quant(Array(outC).fill(1))),
            ],
            [activation("y", [1, outC], 0.1, 0)],
          );
          const rules = { default: parseWeights(text, ""), layers: [] };
          const after = recodeWeights(graph, rules, { reals: new Map([["fullyConnected", reals]]) });
          const [layer] = weightedLayers(after);
          const got = realWeights(layer!, after.tensors[layer!.inputs[1]!]!);
          const [low, high] = text === "int8" ? [-127, 127] : text === "int7" ? [-63, 63] : [-8, 7];
          const { scale, zeroPoint, values } = roundToGrid(reals, low!, high!, text.endsWith("asym"), 1);
          const error = (real: (i: number) => number): number => sum([...reals].map((w, i) => (w - real(i)) ** 2));
          // scales are float32: a grid that fits exactly may miss by their rounding
          const least = error((i) => scale * (values[i]! - zeroPoint)) * (1 + 1e-6) + 1e-12;
          expect(error((i) => got[i]!)).toBeLessThanOrEqual(least);
        },
      ),
      { numRuns: 150 },
    );
  });
});
