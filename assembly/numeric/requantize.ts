// From exact int32 sums to int8: q = clamp(rne(f32(acc) · f32(multiplier)) + zero). The rule of
// XNNPACK's fp32 path; every step is IEEE-exact in WebAssembly, so all engines agree.
// Invariant: the scalar and the vector form give the same byte for every acc and every finite multiplier.
//
// Rounding is one addition: x + 1.5·2^23 has the integer nearest to x, ties to even, in its low bits
// while |x| < 2^22. A larger x only has to come out above every clamp bound: the bits of a positive
// float grow with it, and `lowest` keeps the sum from turning negative.

export const MAGIC: f32 = 12582912.0;
export const MAGIC_BITS: i32 = 0x4b400000;
/** Far below any int8 result, far above −1.5·2^23. */
export const LOWEST: f32 = -65536.0;
/** In memory, where a vector takes a third of the core's bytes that a constant takes, and no register. */
const MAGICS: usize = memory.data<f32>([MAGIC, MAGIC, MAGIC, MAGIC], 16);
const LOWESTS: usize = memory.data<f32>([LOWEST, LOWEST, LOWEST, LOWEST], 16);

/** Whether no scaled sum of the blocks at hand comes near −1.5·2^23, so that `calm16` and `calmFour` round it right. */
export let calm: bool = false;
const FAR: f32 = 8388608.0;

/**
 * Sets `calm` for `count` outputs, whose blocks of eight, `bytes` apart, begin with biases and multipliers, and whose
 * sums are of `cells` products of an int8 and a weight of at most nine bits.
 */
export function reckon(block: usize, bytes: usize, count: i32, cells: i32): void {
  const reach = f32x4.splat(<f32>cells * 32768);
  let fits = i32x4.splat(-1);
  for (; count > 0; count -= 8, block += bytes) {
    for (let at = block; at < block + 32; at += 16) {
      const most = f32x4.add(reach, f32x4.abs(f32x4.convert_i32x4_s(v128.load(at))));
      fits = v128.and(fits, f32x4.lt(f32x4.mul(most, f32x4.abs(v128.load(at, 32))), f32x4.splat(FAR)));
    }
  }
  calm = i32x4.all_true(fits);
}

// @ts-ignore: decorator
@inline
export function requantize(acc: i32, multiplier: f32, low: i32, high: i32, zero: i32): i32 {
  return requantizeReal(<f32>acc * multiplier, low, high, zero);
}

// @ts-ignore: decorator
@inline
export function requantizeReal(real: f32, low: i32, high: i32, zero: i32): i32 {
  const bits = reinterpret<i32>(max<f32>(real, LOWEST) + MAGIC);
  return min<i32>(max<i32>(bits - MAGIC_BITS + zero, low), high);
}

/** Four sums to four int32 with the zero point added, not yet clamped. `offset` = MAGIC_BITS − zero in every lane. */
// @ts-ignore: decorator
@inline
export function round4(sums: v128, multipliers: v128, offset: v128): v128 {
  const real = f32x4.pmax(v128.load(LOWESTS), f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers));
  return i32x4.sub(f32x4.add(real, v128.load(MAGICS)), offset);
}

/** The same where `calm`. */
// @ts-ignore: decorator
@inline
function calm4(sums: v128, multipliers: v128, offset: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers), v128.load(MAGICS)), offset);
}

/** Sixteen sums to sixteen int8: a0 a1 by the eight multipliers at `ma`, b0 b1 by those at `mb`. */
// @ts-ignore: decorator
@inline
export function requantize16(
  a0: v128, a1: v128, b0: v128, b1: v128, ma: usize, mb: usize, offset: v128, low: v128, high: v128,
): v128 {
  const a = i16x8.narrow_i32x4_s(round4(a0, v128.load(ma), offset), round4(a1, v128.load(ma, 16), offset));
  const b = i16x8.narrow_i32x4_s(round4(b0, v128.load(mb), offset), round4(b1, v128.load(mb, 16), offset));
  return i8x16.min_s(high, i8x16.max_s(low, i8x16.narrow_i16x8_s(a, b)));
}

/** Sixteen sums of two pixels' eight outputs to sixteen int8, where `calm`. */
// @ts-ignore: decorator
@inline
export function calm16(a0: v128, a1: v128, b0: v128, b1: v128, multipliers: usize, offset: v128, low: v128, high: v128): v128 {
  const m0 = v128.load(multipliers), m1 = v128.load(multipliers, 16);
  const a = i16x8.narrow_i32x4_s(calm4(a0, m0, offset), calm4(a1, m1, offset));
  const b = i16x8.narrow_i32x4_s(calm4(b0, m0, offset), calm4(b1, m1, offset));
  return i8x16.min_s(high, i8x16.max_s(low, i8x16.narrow_i16x8_s(a, b)));
}

/** Sixteen sums of the same four outputs to sixteen int8, where `calm`. */
// @ts-ignore: decorator
@inline
export function calmFour(
  a: v128, b: v128, c: v128, d: v128, multipliers: v128, offset: v128, low: v128, high: v128,
): v128 {
  const ab = i16x8.narrow_i32x4_s(calm4(a, multipliers, offset), calm4(b, multipliers, offset));
  const cd = i16x8.narrow_i32x4_s(calm4(c, multipliers, offset), calm4(d, multipliers, offset));
  return i8x16.min_s(high, i8x16.max_s(low, i8x16.narrow_i16x8_s(ab, cd)));
}

/** Eight sums to eight int8, in the low and again in the high half. */
// @ts-ignore: decorator
@inline
export function requantize8(a0: v128, a1: v128, multipliers: usize, offset: v128, low: v128, high: v128): v128 {
  const a = i16x8.narrow_i32x4_s(round4(a0, v128.load(multipliers), offset), round4(a1, v128.load(multipliers, 16), offset));
  return i8x16.min_s(high, i8x16.max_s(low, i8x16.narrow_i16x8_s(a, a)));
}

/** Eight floats, clamped to `low` … `high` (the bounds less the zero point) and rounded, to eight int8 in the low lanes. */
// @ts-ignore: decorator
@inline
export function nearest8(a: v128, b: v128, low: v128, high: v128, offset: v128): v128 {
  const magic = v128.load(MAGICS);
  const words = i16x8.narrow_i32x4_s(
    i32x4.sub(f32x4.add(f32x4.pmin(high, f32x4.pmax(low, a)), magic), offset),
    i32x4.sub(f32x4.add(f32x4.pmin(high, f32x4.pmax(low, b)), magic), offset),
  );
  return i8x16.narrow_i16x8_s(words, words);
}
