// Integer fixed point as gemmlowp and TFLite's reference kernels define it: a real factor is a Q31
// multiplier times a power of two. For the int16 operators, softmax and squaredDifference.
// Invariant: rounds twice, exactly as gemmlowp's two steps do; no input traps.

/** round(a · b / 2^31), halves up: gemmlowp's nudge and truncating division, as one shift. Not for a = b = −2^31. */
// @ts-ignore: decorator
@inline
export function highMultiply(a: i32, b: i32): i32 {
  return <i32>(((<i64>a) * (<i64>b) + (1 << 30)) >> 31);
}

/** round(x / 2^down), halves away from zero, 0 ≤ down ≤ 31. */
// @ts-ignore: decorator
@inline
export function roundingShift(x: i32, down: i32): i32 {
  const mask = <i32>(((<u32>1) << down) - 1);
  const threshold = (mask >> 1) + <i32>(x < 0);
  return (x >> down) + <i32>((x & mask) > threshold);
}

/** round(x · 2^shift · multiplier / 2^31), rounded for the product and again for the shift. */
export function multiplyByQuantizedMultiplier(x: i32, multiplier: i32, shift: i32): i32 {
  return roundingShift(highMultiply(x << max(shift, 0), multiplier), max(-shift, 0));
}
