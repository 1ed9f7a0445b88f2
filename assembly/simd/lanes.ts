// Loads and stores of part of a vector. Invariant: stores never touch a byte past `count`.

import { widenQuads } from "./fewBitsDot";

const ZEROS: usize = memory.data(16, 16);

/** Zeros to start sums with: a constant would be copied to each of them, at eighteen bytes a time. */
// @ts-ignore: decorator
@inline
export function zeros(): v128 {
  return v128.load(ZEROS);
}

/** Stores the low `count` (1 … 8) bytes of `v`. */
// @ts-ignore: decorator
@inline
export function storeBytes(to: usize, v: v128, count: i32): void {
  if (count >= 8) {
    v128.store64_lane(to, v, 0);
  } else {
    storeTail(to, v128.extract_lane<i64>(v, 0), count);
  }
}

/** Stores the low `count` (1 … 16) bytes of `v`. */
// @ts-ignore: decorator
@inline
export function storeBytes16(to: usize, v: v128, count: i32): void {
  if (count >= 16) {
    v128.store(to, v);
  } else {
    storeBytes(to, v, count);
    if (count > 8) storeTail(to + 8, v128.extract_lane<i64>(v, 1), count - 8);
  }
}

/** Stores the low `count` (0 … 8) bytes of `bytes`. */
export function storeTail(to: usize, bytes: i64, count: i32): void {
  while (count-- > 0) {
    store<u8>(to++, <u8>bytes);
    bytes >>= 8;
  }
}

/** Whether `widen` orders the values of each four as fewBitsDot.ts wants them: only while one of its steps runs. */
let inQuads: bool = false;

export function widenInQuads(on: bool): void {
  inQuads = on;
}

/** int8 → int16: `count` values from `from` to `to`, then what lies behind them: up to seven values more. */
export function widen(to: usize, from: usize, count: i32): void {
  if (inQuads) {
    widenQuads(to, from, count);
    return;
  }
  const end = from + <usize>count;
  while (from < end) {
    v128.store(to, v128.load8x8_s(from));
    from += 8;
    to += 16;
  }
}

/** `count` bytes from `from` to `to`. May write up to 15 bytes past the end. */
export function copyBytes(to: usize, from: usize, count: i32): void {
  for (const end = from + <usize>count; from < end; from += 16, to += 16) v128.store(to, v128.load(from));
}

/** Eight (or, at the end, `count` < 8) channels of four pixels, `stride` bytes apart: two in each vector. */
// @ts-ignore: decorator
@inline
export function storeFour(out: usize, stride: usize, p01: v128, p23: v128, count: i32): void {
  if (count >= 8) {
    v128.store64_lane(out, p01, 0);
    out += stride;
    v128.store64_lane(out, p01, 1);
    out += stride;
    v128.store64_lane(out, p23, 0);
    out += stride;
    v128.store64_lane(out, p23, 1);
  } else {
    storeTail(out, v128.extract_lane<i64>(p01, 0), count);
    storeTail(out + stride, v128.extract_lane<i64>(p01, 1), count);
    storeTail(out + 2 * stride, v128.extract_lane<i64>(p23, 0), count);
    storeTail(out + 3 * stride, v128.extract_lane<i64>(p23, 1), count);
  }
}
