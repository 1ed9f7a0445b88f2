// From exact int32 sums to int8: q = clamp(rne(f32(acc) · f32(multiplier)) + zero). The rule of
// XNNPACK's fp32 path; every step is IEEE-exact in WebAssembly, so all engines agree.
// Invariant: the scalar and the vector form give the same byte for every acc and every finite multiplier.

/** 1.5 · 2^23: adding it to |x| < 2^22 rounds x to the nearest integer, ties to even, in the low bits. */
export const MAGIC: f32 = 12582912.0;
export const MAGIC_BITS: i32 = 0x4b400000;

/** `low` and `high` are the clamp bounds less the zero point, as floats. */
// @ts-ignore: decorator
@inline
export function requantize(acc: i32, multiplier: f32, low: f32, high: f32, zero: i32): i32 {
  const real = min<f32>(max<f32>(<f32>acc * multiplier, low), high);
  return reinterpret<i32>(real + MAGIC) - MAGIC_BITS + zero;
}

/** Eight sums to eight int8 in the low lanes. `multipliers` points to eight floats. `offset` = MAGIC_BITS − zero in every lane. */
// @ts-ignore: decorator
@inline
export function requantize8(lo: v128, hi: v128, multipliers: usize, low: v128, high: v128, offset: v128): v128 {
  const a = f32x4.mul(f32x4.convert_i32x4_s(lo), v128.load(multipliers));
  const b = f32x4.mul(f32x4.convert_i32x4_s(hi), v128.load(multipliers, 16));
  return nearest8(a, b, low, high, offset);
}

/** Eight floats, clamped and rounded, to eight int8 in the low lanes. `offset` = MAGIC_BITS − zero in every lane. */
// @ts-ignore: decorator
@inline
export function nearest8(a: v128, b: v128, low: v128, high: v128, offset: v128): v128 {
  const magic = f32x4.splat(MAGIC);
  const words = i16x8.narrow_i32x4_s(
    i32x4.sub(f32x4.add(f32x4.pmin(high, f32x4.pmax(low, a)), magic), offset),
    i32x4.sub(f32x4.add(f32x4.pmin(high, f32x4.pmax(low, b)), magic), offset),
  );
  return i8x16.narrow_i16x8_s(words, words);
}
