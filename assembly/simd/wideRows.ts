// Rows of int16 against int8 blocks with 64-bit sums (numeric/wideSums.ts): conv2d16 and fullyConnected16.
// Pairs are summed in 32 bits as long as that is exact, then added to 64-bit sums in scratch:
//
//   sums: ├ row 0: i64×8 ┼ row 1 ┼ row 2 ┼ row 3 ┤   of the eight outputs at hand
//
// Invariant: a pair is at most 2 · 2^15 · 2^7 = 2^23, so that 255 of them stay below 2^31.

import { WIDE_HEAD, wideOutput } from "../numeric/wideSums";
import { zeros } from "./lanes";

/** Pairs summed in 32 bits at a time. */
const CHUNK: i32 = 255;
/** Scratch that the sums take. */
export const WIDE_SUMS: u64 = 256;

let sums: usize = 0;
let rule: i32 = 0;
let low: i32 = 0;
let high: i32 = 0;

export function wideSetup(scratch: usize, wideRule: i32, min: i32, max: i32): void {
  sums = scratch;
  rule = wideRule;
  low = min;
  high = max;
}

/** `rows` rows of k int16 at x, `step` bytes apart, times all blocks; n int16 outputs a row, close together. Reads 2 bytes past a row of odd k. */
export function wideRows(x: usize, step: usize, rows: i32, k: i32, n: i32, blocks: usize, out: usize): void {
  const outStep = (<usize>n) << 1;
  if (rows < 4) {
    for (let r = rows; r > 0; r--, x += step, out += outStep) tile(x, 0, 1, k, n, blocks, out);
    return;
  }
  for (let r = 0; r < rows; r += 4) {
    // The last tile starts early and writes some rows again, with the same values.
    const first = <usize>(r + 4 > rows ? rows - 4 : r);
    tile(x + first * step, step, 4, k, n, blocks, out + first * outStep);
  }
}

function tile(x: usize, step: usize, rows: i32, k: i32, n: i32, block: usize, out: usize): void {
  const pairs = (k + 1) >> 1;
  for (let left = n; left > 0; left -= 8, out += 16) {
    start(rows, block);
    let w = block + WIDE_HEAD,
      from = x;
    for (let rest = pairs; rest > 0; rest -= CHUNK) {
      const count = min(rest, CHUNK);
      if (rows == 4) w = add4(from, step, count, w);
      else w = add1(from, count, w);
      from += (<usize>count) << 2;
    }
    for (let r: usize = 0; r < <usize>rows; r++) {
      const row = out + r * ((<usize>n) << 1);
      for (let c: usize = 0; c < <usize>min(left, 8); c++) {
        const value = wideOutput(rule, load<i64>(sums + (r << 6) + (c << 3)), block + 64 + (c << 3), low, high);
        store<i16>(row + (c << 1), <i16>value);
      }
    }
    block = w;
  }
}

/** Every row's sums start at the biases. */
// @ts-ignore: decorator
@inline
function start(rows: i32, block: usize): void {
  const b0 = v128.load(block),
    b1 = v128.load(block, 16),
    b2 = v128.load(block, 32),
    b3 = v128.load(block, 48);
  for (let to = sums, end = sums + ((<usize>rows) << 6); to < end; to += 64) {
    v128.store(to, b0);
    v128.store(to, b1, 16);
    v128.store(to, b2, 32);
    v128.store(to, b3, 48);
  }
}

/** Adds `pairs` pairs of four rows to the sums; returns the end of their weights. */
function add4(a0: usize, step: usize, pairs: i32, w: usize): usize {
  let a1 = a0 + step,
    a2 = a1 + step,
    a3 = a2 + step;
  let c00 = zeros();
  let c01 = c00,
    c10 = c00,
    c11 = c00,
    c20 = c00,
    c21 = c00,
    c30 = c00,
    c31 = c00;
  for (; pairs > 0; pairs--) {
    const w0 = v128.load8x8_s(w),
      w1 = v128.load8x8_s(w, 8);
    const x0 = v128.load32_splat(a0),
      x1 = v128.load32_splat(a1),
      x2 = v128.load32_splat(a2),
      x3 = v128.load32_splat(a3);
    c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x0, w0));
    c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x0, w1));
    c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x1, w0));
    c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x1, w1));
    c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x2, w0));
    c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x2, w1));
    c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x3, w0));
    c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x3, w1));
    w += 16;
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
  }
  spill(sums, c00, c01);
  spill(sums + 64, c10, c11);
  spill(sums + 128, c20, c21);
  spill(sums + 192, c30, c31);
  return w;
}

/** The same for one row. */
function add1(a: usize, pairs: i32, w: usize): usize {
  let c0 = zeros(),
    c1 = i32x4.splat(0);
  for (; pairs > 0; pairs--) {
    const x = v128.load32_splat(a);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
    w += 16;
    a += 4;
  }
  spill(sums, c0, c1);
  return w;
}

/** Adds eight 32-bit sums to the 64-bit ones at `to`. */
// @ts-ignore: decorator
@inline
function spill(to: usize, a: v128, b: v128): void {
  v128.store(to, i64x2.add(v128.load(to), i64x2.extend_low_i32x4_s(a)));
  v128.store(to, i64x2.add(v128.load(to, 16), i64x2.extend_high_i32x4_s(a)), 16);
  v128.store(to, i64x2.add(v128.load(to, 32), i64x2.extend_low_i32x4_s(b)), 32);
  v128.store(to, i64x2.add(v128.load(to, 48), i64x2.extend_high_i32x4_s(b)), 48);
}
