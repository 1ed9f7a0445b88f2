// Lays an int8 matrix that is computed, not constant, out in the blocks of gemm.ts (with int16 weights),
// so that a product of two activations runs on the kernels of constant weights.
// Invariant: block n/8 holds b[k, n] less b's zero point; its bias is −aZero · Σk of those, so that
// Σ a·w + bias = Σ (a − aZero)(b − bZero). Cells past k are zero; columns past n are arbitrary.

import { BLOCK_HEAD } from "./gemm";

/** What a block may be written past its end: three pairs. */
export const PACK_SLACK: u64 = 96;

/** Packs b, [k, n] or with `transposed` [n, k]; `scale` is every column's multiplier. Reads up to 7 bytes past b. */
export function packColumns(
  to: usize,
  b: usize,
  k: i32,
  n: i32,
  transposed: bool,
  aZero: i32,
  bZero: i32,
  scale: f32,
): void {
  const blockBytes = BLOCK_HEAD + ((<usize>((k + 1) >> 1)) << 5);
  const multipliers = f32x4.splat(scale);
  for (let column = 0; column < n; column += 8, to += blockBytes) {
    v128.store(to, multipliers, 32);
    v128.store(to, multipliers, 48);
    if (transposed) packRows(to, b, k, column, n - 1, -aZero, i16x8.splat(<i16>bZero));
    else packStrips(to, b + <usize>column, k, <usize>n, -aZero, i16x8.splat(<i16>bZero));
  }
}

/** Eight neighbouring columns of [k, n]: two rows of eight at a time, interleaved. */
function packStrips(block: usize, from: usize, k: i32, n: usize, negated: i32, zero: v128): void {
  const ones = i16x8.splat(1);
  let lowSum = i32x4.splat(0),
    highSum = lowSum,
    to = block + BLOCK_HEAD;
  for (let left = k; left > 0; left -= 2) {
    const even = i16x8.sub(v128.load8x8_s(from), zero);
    const odd = left > 1 ? i16x8.sub(v128.load8x8_s(from + n), zero) : i16x8.splat(0);
    const low = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11),
      high = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(to, low);
    v128.store(to, high, 16);
    lowSum = i32x4.add(lowSum, i32x4.dot_i16x8_s(low, ones));
    highSum = i32x4.add(highSum, i32x4.dot_i16x8_s(high, ones));
    from += 2 * n;
    to += 32;
  }
  storeBias(block, lowSum, highSum, negated);
}

/** Eight rows of [n, k], from `first`, the last one repeated past `last`: transposed in squares of four pairs. */
function packRows(block: usize, b: usize, k: i32, first: i32, last: i32, negated: i32, zero: v128): void {
  const lanes = i16x8(0, 1, 2, 3, 4, 5, 6, 7),
    ones = i16x8.splat(1);
  let lowSum = i32x4.splat(0),
    highSum = lowSum,
    to = block + BLOCK_HEAD;
  for (let at = 0; at < k; at += 8, to += 128) {
    const inside = i16x8.lt_s(lanes, i16x8.splat(<i16>min(8, k - at)));
    const from = b + <usize>at;
    lowSum = square(to, from, k, first, last, zero, inside, ones, lowSum);
    highSum = square(to + 16, from, k, first + 4, last, zero, inside, ones, highSum);
  }
  storeBias(block, lowSum, highSum, negated);
}

/** Four rows by eight inputs, written as four pairs 32 bytes apart. Returns `sum` and the rows' sums. */
// @ts-ignore: decorator
@inline
function square(
  to: usize,
  from: usize,
  k: i32,
  row: i32,
  last: i32,
  zero: v128,
  inside: v128,
  ones: v128,
  sum: v128,
): v128 {
  const r0 = values(from, k, min(row, last), zero, inside),
    r1 = values(from, k, min(row + 1, last), zero, inside),
    r2 = values(from, k, min(row + 2, last), zero, inside),
    r3 = values(from, k, min(row + 3, last), zero, inside);
  const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5),
    b = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5),
    c = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7),
    d = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  const p0 = v128.shuffle<i64>(a, b, 0, 2),
    p1 = v128.shuffle<i64>(a, b, 1, 3),
    p2 = v128.shuffle<i64>(c, d, 0, 2),
    p3 = v128.shuffle<i64>(c, d, 1, 3);
  v128.store(to, p0);
  v128.store(to, p1, 32);
  v128.store(to, p2, 64);
  v128.store(to, p3, 96);
  const together = i16x8.add(i16x8.add(p0, p1), i16x8.add(p2, p3));
  return i32x4.add(sum, i32x4.dot_i16x8_s(together, ones));
}

// @ts-ignore: decorator
@inline
function values(from: usize, k: i32, row: i32, zero: v128, inside: v128): v128 {
  return v128.and(i16x8.sub(v128.load8x8_s(from + <usize>(row * k)), zero), inside);
}

// @ts-ignore: decorator
@inline
function storeBias(block: usize, low: v128, high: v128, negated: i32): void {
  const factor = i32x4.splat(negated);
  v128.store(block, i32x4.mul(low, factor));
  v128.store(block, i32x4.mul(high, factor), 16);
}
