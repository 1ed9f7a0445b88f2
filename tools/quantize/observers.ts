// How the range of an activation follows from the values that calibration saw.
//
//   minmax          the least and the most value of all
//   average[:0.9]   running mean of each input's least and most value; the part that the past keeps
//   percentile[:99.99]  the middle so many percent of all values
//   mse             the range whose 255 steps leave the least squared error: Σ clipped² + n · step² / 12
//   entropy         the range that loses the least information (Kullback-Leibler divergence)
//
// Sources: Krishnamoorthi, "Quantizing deep convolutional networks", 2018 (average); Banner et al., "Post training 4-bit
// quantization", 2019 (mse); Migacz, "8-bit inference with TensorRT", 2017 (entropy).
// Invariant: a range lies within what was seen.

import { ToolError } from "../errors.ts";
import type { Histogram } from "./histogram.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
  /** of a tensor of two axes or more: the largest magnitude seen at each index of the last one */
  readonly channels?: Float32Array;
}

export type Observer =
  | { readonly kind: "minmax" }
  /** `momentum` in [0, 1) */
  | { readonly kind: "average"; readonly momentum: number }
  /** `percent` in (50, 100] */
  | { readonly kind: "percentile"; readonly percent: number }
  | { readonly kind: "mse" }
  | { readonly kind: "entropy" };

const CHOICES =
  "minmax, average (of each input's, with :0.9 for the past's part), percentile (with :99.99 for the percent kept), mse or entropy";

/** `where` names the option, for the message. Throws USAGE. */
export function parseObserver(text: string, where: string): Observer {
  const [kind, value, ...rest] = text.split(":");
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  const refuse = (): never => {
    throw new ToolError("USAGE", `${where} is "${text}", expected ${CHOICES}.`);
  };
  if (rest.length > 0) return refuse();
  switch (kind) {
    case "minmax":
    case "mse":
    case "entropy":
      return value === undefined ? { kind } : refuse();
    case "average": {
      const momentum = value === undefined ? 0.9 : number;
      return momentum >= 0 && momentum < 1 ? { kind, momentum } : refuse();
    }
    case "percentile": {
      const percent = value === undefined ? 99.99 : number;
      return percent > 50 && percent <= 100 ? { kind, percent } : refuse();
    }
    default:
      return refuse();
  }
}

/** Whether the observer looks at the distribution, not only at extremes. */
export const needsHistogram = ({ kind }: Observer): boolean =>
  kind === "percentile" || kind === "mse" || kind === "entropy";

/** `seen`: least and most value. */
export function rangeOf(observer: Observer, histogram: Histogram, seen: Range): Range {
  const range = ((): Range => {
    switch (observer.kind) {
      case "percentile":
        return middle(histogram, observer.percent, seen);
      case "mse":
        return leastError(histogram, seen);
      case "entropy":
        return leastDivergence(histogram, seen);
      default:
        return seen;
    }
  })();
  return { min: Math.max(seen.min, range.min), max: Math.min(seen.max, range.max) };
}

function middle(histogram: Histogram, percent: number, seen: Range): Range {
  const { counts, width, zeros } = histogram;
  const total = counts.reduce((sum, count) => sum + count, zeros);
  const tail = (total * (100 - percent)) / 200;
  const half = counts.length / 2;
  const end = (order: (i: number) => number): number | undefined => {
    let passed = 0;
    for (let i = 0; i < counts.length; i++) {
      if (i === half) passed += zeros;
      if (passed > tail) return i;
      passed += counts[order(i)]!;
      if (passed > tail) return i;
    }
    return undefined;
  };
  const low = end((i) => i);
  const high = end((i) => counts.length - 1 - i);
  if (low === undefined || high === undefined) return seen;
  return { min: (low - half) * width, max: (half - high) * width };
}

/** Candidates between the whole range and a quarter of it, on each side. */
const STEPS = 64;
const LEAST_PART = 0.25;
const LEVELS = 256;

const parts = (value: number): number[] =>
  value === 0 ? [0] : Array.from({ length: STEPS }, (_, i) => value * (1 - ((1 - LEAST_PART) * i) / STEPS));

function leastError(histogram: Histogram, seen: Range): Range {
  const { counts } = histogram;
  // running sums of counts, values and squares: the clipped error of any end is of three differences
  const [n, sum, square] = [0, 1, 2].map((power) => {
    const running = new Float64Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) {
      running[i + 1] = running[i]! + (counts[i]! > 0 ? counts[i]! * histogram.centre(i) ** power : 0);
    }
    return running;
  }) as [Float64Array, Float64Array, Float64Array];
  const clipped = (from: number, to: number, end: number): number =>
    square[to]! - square[from]! - 2 * end * (sum[to]! - sum[from]!) + end * end * (n[to]! - n[from]!);
  const [lows, highs] = [parts(Math.min(0, seen.min)), parts(Math.max(0, seen.max))];
  let [best, least] = [seen, Number.POSITIVE_INFINITY];
  for (const min of lows) {
    const first = histogram.bin(min);
    for (const max of highs) {
      const last = histogram.bin(max) + 1;
      const step = (max - min) / (LEVELS - 1);
      const error =
        clipped(0, first, min) + clipped(last, counts.length, max) + ((n[last]! - n[first]!) * step * step) / 12;
      if (error < least) [best, least] = [{ min, max }, error];
    }
  }
  return best;
}

function leastDivergence(histogram: Histogram, seen: Range): Range {
  const { counts } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return seen;
  let [best, least] = [seen, Number.POSITIVE_INFINITY];
  for (let i = 0; i < STEPS; i++) {
    const part = 1 - ((1 - LEAST_PART) * i) / STEPS;
    const [min, max] = [Math.min(0, seen.min) * part, Math.max(0, seen.max) * part];
    const [first, last] = [histogram.bin(min), histogram.bin(max)];
    const divergence = klDivergence(counts, first, last);
    if (divergence < least) [best, least] = [{ min, max }, divergence];
  }
  return best;
}

/** Of the counts clipped into the bins `first` … `last` to those bins after they were merged into LEVELS and spread again. */
function klDivergence(counts: Float64Array, first: number, last: number): number {
  const size = last - first + 1;
  const clipped = counts.slice(first, last + 1);
  for (let i = 0; i < first; i++) clipped[0]! += counts[i]!;
  for (let i = last + 1; i < counts.length; i++) clipped[size - 1]! += counts[i]!;
  const total = clipped.reduce((sum, count) => sum + count, 0);
  let inside = 0;
  for (let i = first; i <= last; i++) inside += counts[i]!;
  if (inside === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (let level = 0; level < LEVELS; level++) {
    const [from, to] = [Math.floor((level * size) / LEVELS), Math.floor(((level + 1) * size) / LEVELS)];
    let [mass, filled] = [0, 0];
    for (let i = from; i < to; i++) {
      mass += counts[first + i]!;
      if (clipped[i]! > 0) filled++;
    }
    for (let i = from; i < to; i++) {
      if (clipped[i]! === 0) continue;
      const p = clipped[i]! / total;
      // a bin that only clipped values fill: as unlikely as one value among all
      const q = Math.max(mass / filled, 1e-3) / inside;
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
}
