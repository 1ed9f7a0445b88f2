// Ranges from calibration: what each observer makes of known distributions, and which inputs are refused.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../tools/graph/graph.ts";
import { calibrate } from "../../tools/quantize/calibrate.ts";
import { Histogram } from "../../tools/quantize/histogram.ts";
import { type Observer, parseObserver, type Range, rangeOf } from "../../tools/quantize/observers.ts";
import { Random } from "../support/random.ts";

const doubled: Graph = {
  name: "doubled",
  tensors: [
    { name: "x", shape: [1, 4], dtype: "float32" },
    { name: "y", shape: [1, 4], dtype: "float32" },
  ],
  nodes: [{ op: "map", name: "double", inputs: [0], outputs: [1], attrs: { fn: "affine", a: 2, b: 0 } }],
  inputs: [0],
  outputs: [1],
};

const sets = (...rows: number[][]) => rows.map((row) => [Float32Array.from(row)]);

/** Near to normal, of deviation 1, with a few outliers. */
function bell(count: number, outlier: number, seed: number): Float32Array {
  const random = new Random(seed);
  const values = Float32Array.from({ length: count }, () =>
    Array.from({ length: 12 }, () => random.real(-0.5, 0.5)).reduce((sum, part) => sum + part, 0),
  );
  values[count >> 1] = outlier;
  return values;
}

function rangeBy(text: string, values: Float32Array): Range {
  const histogram = new Histogram();
  const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  histogram.add(values, Math.max(-min, max));
  return rangeOf(parseObserver(text, "--observer"), histogram, { min, max });
}

function squaredError(values: Float32Array, { min, max }: Range): number {
  const step = (Math.max(0, max) - Math.min(0, min)) / 255;
  return values.reduce((sum, value) => {
    const held = Math.round(Math.max(Math.min(0, min), Math.min(Math.max(0, max), value)) / step) * step;
    return sum + (value - held) ** 2;
  }, 0);
}

describe("calibrate", () => {
  it.each<[string, Range]>([
    ["minmax", { min: -8, max: 6 }],
    ["average:0.5", { min: -5, max: 4 }],
  ])("%s", (text, expected) => {
    const ranges = calibrate(doubled, sets([1, -1, 0, 0], [3, -4, 1, 1]), { observer: parseObserver(text, "") });
    expect(ranges.get(1)).toMatchObject(expected);
  });

  it.each([
    ["no set", [], /the calibration set is empty/],
    ["a constant set", sets([1, 1, 1, 1], [1, 1, 1, 1]), /constant: input "x" is 1 everywhere in all 2 sets/],
    ["a NaN", sets([0, 1, 2, 3], [0, 1, Number.NaN, 3]), /set 2: input "x" holds NaN at value 2/],
    ["an infinity", sets([0, 1, 2, Number.POSITIVE_INFINITY]), /holds Infinity at value 3/],
    ["a wrong length", sets([0, 1, 2]), /set 1: input "x" needs 4 values \(\[1,4\]\) but got 3/],
    ["a missing input", [[]], /needs 4 values \(\[1,4\]\) but got none/],
    ["another type", [[new Int8Array(4)]], /is float32 but got a Int8Array; give a Float32Array/],
  ])("refuses %s", (_, inputs, message) => {
    expect(() => calibrate(doubled, inputs)).toThrow(expect.objectContaining({ code: "BAD_INPUT" }));
    expect(() => calibrate(doubled, inputs)).toThrow(message);
  });
});

describe("observers", () => {
  const values = bell(20000, 40, 5);

  it("percentiles cut both tails", () => {
    const { min, max } = rangeBy("percentile:99", values);
    expect(min).toBeCloseTo(-2.58, 1);
    expect(max).toBeCloseTo(2.58, 1);
    expect(rangeBy("percentile:100", values).max).toBeCloseTo(40, 1);
  });

  it.each(["mse", "entropy"])("%s cuts an outlier", (text) => {
    expect(rangeBy(text, values).max).toBeLessThan(39.5);
  });

  it("mse finds a smaller error than minmax, percentile and entropy", () => {
    const best = squaredError(values, rangeBy("mse", values));
    for (const text of ["minmax", "percentile:99", "percentile:99.99", "entropy"]) {
      expect(best).toBeLessThanOrEqual(squaredError(values, rangeBy(text, values)) * 1.01);
    }
  });

  it("never leave what was seen, and do not depend on the order of the runs", () => {
    const observers: Observer[] = ["percentile:99", "mse", "entropy"].map((text) => parseObserver(text, ""));
    fc.assert(
      fc.property(
        fc.array(fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, noDefaultInfinity: true }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.constantFrom(...observers),
        (runs, observer) => {
          const of = (order: readonly Float32Array[]): Range => {
            const histogram = new Histogram();
            let seen = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
            for (const run of order) {
              const [min, max] = [Math.min(...run), Math.max(...run)];
              histogram.add(run, Math.max(-min, max));
              seen = { min: Math.min(seen.min, min), max: Math.max(seen.max, max) };
            }
            const range = rangeOf(observer, histogram, seen);
            expect(range.min).toBeGreaterThanOrEqual(seen.min);
            expect(range.max).toBeLessThanOrEqual(seen.max);
            return range;
          };
          expect(of([...runs].reverse())).toEqual(of(runs));
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(["", "max", "mse:1", "percentile:50", "percentile:x", "average:1", "average:", "percentile:99:1"])(
    "refuses %j",
    (text) => {
      expect(() => parseObserver(text, "--observer")).toThrow(/--observer is ".*", expected minmax, average/);
    },
  );
});
