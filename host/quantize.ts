// Float values to a port's storage and back, when a caller feeds or reads float32 at the edge.
// Invariant: float32 arithmetic, one rounding an operation, as the core's own quantize (README "Numerics");
// in place of allocation, both write into an array of the caller's.
import type { TensorArray } from "./format/dtype.ts";

/** Adding and subtracting 1.5·2⁵² rounds a double of magnitude below 2⁵¹ to the nearest integer, ties to even. */
const ROUND = 6755399441055744;

/**
 * target[i] = saturate(round(source[i] / scale) + zero), ties to even, saturating to min … max.
 * A NaN becomes `zero`, which stands for 0; ±Infinity saturates.
 */
export function quantize(
  target: TensorArray,
  source: TensorArray,
  scale: number,
  zero: number,
  min: number,
  max: number,
): void {
  for (let i = 0; i < target.length; i++) {
    const q = Math.fround(source[i]! / scale) + ROUND - ROUND + zero;
    // twice as fast as Math.min and Math.max; a NaN fails every comparison
    if (q >= max) target[i] = max;
    else if (q > min) target[i] = q;
    else target[i] = q <= min ? min : zero;
  }
}

/** target[i] = scale · (source[i] − zero), in float32. */
export function dequantize(target: TensorArray, source: TensorArray, scale: number, zero: number): void {
  for (let i = 0; i < target.length; i++) target[i] = scale * (source[i]! - zero);
}
