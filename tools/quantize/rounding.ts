// Real values to few integers: the scale (and zero point) that leaves the least squared error, by search.
// Invariant: results depend on the values alone; float64 throughout, the scale itself a float32 above 0.

import { roundEven } from "../ops/quantization.ts";

export interface Rounded {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly values: Int8Array;
}

/** Candidates between the scale that clips nothing and less than half of it. */
const STEPS = 64;

/** Σ importance · (real − scale · (q − zeroPoint))², with q as `nearestCodes` makes it. */
function squaredError(
  reals: Float64Array,
  scale: number,
  zeroPoint: number,
  low: number,
  high: number,
  importance: Float64Array | undefined,
): number {
  const [least, most] = [low - zeroPoint, high - zeroPoint];
  let sum = 0;
  for (let i = 0; i < reals.length; i++) {
    const step = roundEven(reals[i]! / scale);
    const error = reals[i]! - scale * (step < least ? least : Math.min(step, most));
    sum += error * error * (importance?.[i] ?? 1);
  }
  return sum;
}

/** The nearest integer of each, ties to even. */
export function nearestCodes(
  reals: Float64Array,
  scale: number,
  zeroPoint: number,
  low: number,
  high: number,
): Int8Array {
  return Int8Array.from(reals, (real) => Math.min(high, Math.max(low, roundEven(real / scale) + zeroPoint)));
}

/**
 * Integers `low` … `high`, with a zero point among them if `asymmetric`, else 0. `idle`: the scale of nothing but zeros.
 * `importance`: how much each value's squared error counts; all the same unless said otherwise. `also`: a grid that is
 * tried beside those found here, so that the result is never worse than on it.
 */
export function roundToGrid(
  reals: Float64Array,
  low: number,
  high: number,
  asymmetric: boolean,
  idle: number,
  importance?: Float64Array,
  also?: Pick<Rounded, "scale" | "zeroPoint">,
): Rounded {
  const least = reals.reduce((a, b) => Math.min(a, b), 0);
  const most = reals.reduce((a, b) => Math.max(a, b), 0);
  if (least === most) return { scale: idle, zeroPoint: 0, values: new Int8Array(reals.length) };
  const whole = asymmetric ? (most - least) / (high - low) : Math.max(most / high, least / low);
  let best = also ?? { scale: whole, zeroPoint: 0 };
  let bestError = also
    ? squaredError(reals, also.scale, also.zeroPoint, low, high, importance)
    : Number.POSITIVE_INFINITY;
  for (let step = 0; step < STEPS; step++) {
    const scale = Math.max(2 ** -126, Math.fround(whole * (1 - (0.6 * step) / STEPS)));
    const zeroPoint = asymmetric ? Math.min(high, Math.max(low, roundEven(low - least / scale))) : 0;
    const got = squaredError(reals, scale, zeroPoint, low, high, importance);
    if (got < bestError) [best, bestError] = [{ scale, zeroPoint }, got];
  }
  return { ...best, values: nearestCodes(reals, best.scale, best.zeroPoint, low, high) };
}

/** −1 and 1 (and 0 where `threshold` · mean |w| is not reached), with the scale that leaves the least error. */
export function roundToSigns(reals: Float64Array, threshold: number, idle: number): Rounded {
  const mean = reals.reduce((sum, real) => sum + Math.abs(real), 0) / reals.length;
  const kept = reals.filter((real) => Math.abs(real) > threshold * mean || threshold === 0);
  const scale = Math.fround(kept.reduce((sum, real) => sum + Math.abs(real), 0) / kept.length);
  const values = Int8Array.from(reals, (real) =>
    threshold > 0 && Math.abs(real) <= threshold * mean ? 0 : real < 0 ? -1 : 1,
  );
  return { scale: scale > 0 ? scale : idle, zeroPoint: 0, values };
}
