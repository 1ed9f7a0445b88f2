// Fixed-point rescaling as TFLite does it, for the int16 operators: a real factor is a Q31 multiplier
// times a power of two. Invariant: rounds twice, exactly as gemmlowp's two steps do.

/** round(x · 2^shift · multiplier / 2^31), halves away from zero at each of the two roundings. */
export function multiplyByQuantizedMultiplier(x: i32, multiplier: i32, shift: i32): i32 {
  const up = max(shift, 0),
    down = max(-shift, 0);
  const product = (<i64>(x << up)) * (<i64>multiplier);
  // Division truncates, so the nudge makes it round to nearest, halves away from zero.
  const nudge: i64 = product >= 0 ? 1 << 30 : 1 - (1 << 30);
  const high = <i32>((product + nudge) / (1 << 31));
  const mask = <i32>(((<i64>1) << down) - 1);
  const rest = high & mask;
  const threshold = (mask >> 1) + <i32>(high < 0);
  return (high >> down) + <i32>(rest > threshold);
}
