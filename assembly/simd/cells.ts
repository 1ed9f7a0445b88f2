// The arithmetic of a recurrent layer's cells over rows of int16: Q0.15 unless it says otherwise, and how rows are read
// and kept as int8. tools/ops/recurrentRule.ts has the rule.
// Invariant: rows have room for whole vectors of eight and are worked on in such; scalar and vector forms agree.

import { MAGIC_BITS, round4 } from "../numeric/requantize";
import { nearest16, saturate16 } from "./gates";

/** Q0.15 · Q0.15: what i16x8.q15mulr_sat_s does. */
// @ts-ignore: decorator
@inline
function times(a: i32, b: i32): i32 {
  return min<i32>((a * b + 16384) >> 15, 32767);
}

/** int8 (times 2^shift) or int16 values as int16: up to seven more than `count`. */
export function widenRow(to: usize, from: usize, count: i32, wide: bool, shift: i32): void {
  const end = to + (<usize>count << 1);
  if (wide) memory.copy(to, from, <usize>count << 1);
  else if (ASC_FEATURE_SIMD) {
    for (; to < end; to += 16, from += 8) v128.store(to, i16x8.shl(v128.load8x8_s(from), shift));
  } else {
    for (; to < end; to += 2, from++) store<i16>(to, <i16>(<i32>load<i8>(from) << shift));
  }
}

/** The other way round: exactly `count` values. */
export function narrowRow(to: usize, from: usize, count: i32, wide: bool, shift: i32): void {
  if (wide) {
    memory.copy(to, from, <usize>count << 1);
    return;
  }
  const end = to + <usize>count;
  if (ASC_FEATURE_SIMD) {
    for (; to + 8 <= end; to += 8, from += 16) {
      const values = i16x8.shr_s(v128.load(from), shift);
      v128.store64_lane(to, i8x16.narrow_i16x8_s(values, values), 0);
    }
  }
  for (; to < end; to++, from += 2) store<i8>(to, <i8>(<i32>load<i16>(from) >> shift));
}

/** to = rne((from − fromZero) · scale) + toZero, within int8 or int16. */
export function scaleRow(to: usize, from: usize, count: i32, fromZero: i32, scale: f32, toZero: i32, wide: bool): void {
  const end = to + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    const zeros = i32x4.splat(fromZero),
      scales = f32x4.splat(scale),
      offset = i32x4.splat(MAGIC_BITS - toZero),
      most = i16x8.splat(wide ? 32767 : 127),
      least = i16x8.splat(wide ? -32768 : -128);
    for (; to < end; to += 16, from += 16) {
      const a = round4(i32x4.sub(v128.load16x4_s(from), zeros), scales, offset),
        b = round4(i32x4.sub(v128.load16x4_s(from, 8), zeros), scales, offset);
      v128.store(to, i16x8.max_s(least, i16x8.min_s(most, i16x8.narrow_i32x4_s(a, b))));
    }
  } else {
    for (; to < end; to += 2, from += 2) {
      // zero is at most 8 bits: what saturated at int16 saturates at int8 after it, too
      const q = nearest16(<f32>(<i32>load<i16>(from) - fromZero) * scale) + toZero;
      store<i16>(to, <i16>(wide ? saturate16(q) : min<i32>(max<i32>(q, -128), 127)));
    }
  }
}

/** a = a + b, saturated. */
export function addRows(a: usize, b: usize, count: i32): void {
  const end = a + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    for (; a < end; a += 16, b += 16) v128.store(a, i16x8.add_sat_s(v128.load(a), v128.load(b)));
  } else {
    for (; a < end; a += 2, b += 2) store<i16>(a, <i16>saturate16(<i32>load<i16>(a) + <i32>load<i16>(b)));
  }
}

/** a = a ∘ b. */
export function multiplyRows(a: usize, b: usize, count: i32): void {
  const end = a + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    for (; a < end; a += 16, b += 16) v128.store(a, i16x8.q15mulr_sat_s(v128.load(a), v128.load(b)));
  } else {
    for (; a < end; a += 2, b += 2) store<i16>(a, <i16>times(<i32>load<i16>(a), <i32>load<i16>(b)));
  }
}

/** h = z ∘ h + (32767 − z) ∘ n. */
export function mixRows(h: usize, z: usize, n: usize, count: i32): void {
  const end = h + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    const one = i16x8.splat(32767);
    for (; h < end; h += 16, z += 16, n += 16) {
      const keeps = v128.load(z);
      const old = i16x8.q15mulr_sat_s(keeps, v128.load(h)),
        fresh = i16x8.q15mulr_sat_s(i16x8.sub(one, keeps), v128.load(n));
      v128.store(h, i16x8.add_sat_s(old, fresh));
    }
  } else {
    for (; h < end; h += 2, z += 2, n += 2) {
      const keeps = <i32>load<i16>(z);
      const mixed = times(keeps, <i32>load<i16>(h)) + times(32767 - keeps, <i32>load<i16>(n));
      store<i16>(h, <i16>saturate16(mixed));
    }
  }
}

/** c = f ∘ c + i · g, h = c as Q3.12; `gates` holds i, f, g, each `count` values. */
export function cellRows(h: usize, c: usize, gates: usize, count: i32, bits: i32, clip: i32, wide: bool): void {
  const rowBytes = <usize>count << 1,
    shift = 30 - bits,
    half = 1 << (29 - bits),
    up = max<i32>(12 - bits, 0),
    down = max<i32>(bits - 12, 0),
    least = -clip,
    most = min<i32>(clip, 32767),
    round = (1 << down) >> 1,
    end = gates + rowBytes;
  if (ASC_FEATURE_SIMD) {
    const halves = i32x4.splat(half),
      rounds = i32x4.splat(round);
    for (; gates < end; gates += 16, c += 16, h += 16) {
      const i = v128.load(gates),
        g = v128.load(gates + 2 * rowBytes);
      const added = i16x8.narrow_i32x4_s(
        i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(i, g), halves), shift),
        i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(i, g), halves), shift),
      );
      const held = i16x8.q15mulr_sat_s(v128.load(gates + rowBytes), v128.load(c));
      const cell = i16x8.max_s(i16x8.splat(<i16>least), i16x8.min_s(i16x8.splat(<i16>most), i16x8.add_sat_s(held, added)));
      v128.store(c, wide ? cell : i16x8.shl(i16x8.shr_s(i16x8.add_sat_s(cell, i16x8.splat(128)), 8), 8));
      const low = i32x4.add(i32x4.shl(i32x4.extend_low_i16x8_s(cell), up), rounds),
        high = i32x4.add(i32x4.shl(i32x4.extend_high_i16x8_s(cell), up), rounds);
      v128.store(h, i16x8.narrow_i32x4_s(i32x4.shr_s(low, down), i32x4.shr_s(high, down)));
    }
  } else {
    for (; gates < end; gates += 2, c += 2, h += 2) {
      const added = (<i32>load<i16>(gates) * <i32>load<i16>(gates + 2 * rowBytes) + half) >> shift;
      const held = times(<i32>load<i16>(gates + rowBytes), <i32>load<i16>(c));
      const cell = max<i32>(least, min<i32>(most, saturate16(held + saturate16(added))));
      store<i16>(c, <i16>(wide ? cell : min<i32>((cell + 128) >> 8, 127) << 8));
      store<i16>(h, <i16>saturate16(((cell << up) + round) >> down));
    }
  }
}
