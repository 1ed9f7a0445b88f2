// Products of four-byte values, T float32 or (always in the plain form) int32: rows of A by a block of eight columns of B.
//
//   block:  ├ bias ×8 ┼ b[0][n0…n7] ┼ b[1][n0…n7] ┼ …      32 bytes a row
//
// Invariant: every output is bias + a[0]·b[0] + a[1]·b[1] + …, added in this order, one rounding an operation
// (no fused multiply-add), so that all builds give the same bits. Stores never pass `count` columns.

import { storeBytes16 } from "./lanes";

/** Bytes of a block of `k` rows. */
// @ts-ignore: decorator
@inline
export function blockBytes(k: i32): u64 {
  return (<u64>k + 1) << 5;
}

/** The bytes of `cells` values of four bytes; too many stay too many. */
export function words(cells: u64): u64 {
  return cells > u32.MAX_VALUE ? cells : cells << 2;
}

/** `rows` rows of A (`stepA` bytes apart, `k` values) by one block: `count` columns of each row, `stepOut` bytes apart. */
export function gemmFloat<T>(
  a: usize, stepA: usize, rows: i32, k: i32, block: usize, out: usize, stepOut: usize, count: i32, least: f32, most: f32,
): void {
  if (ASC_FEATURE_SIMD && isFloat<T>()) {
    const low = f32x4.splat(least), high = f32x4.splat(most);
    const first = count << 2, second = first - 16;
    for (; rows >= 4; rows -= 4) {
      let w = block + 32, x = a;
      const x1 = stepA, x2 = stepA * 2, x3 = stepA * 3, end = a + (<usize>k << 2);
      let c00 = v128.load(block), c01 = v128.load(block, 16);
      let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
      for (; x < end; x += 4, w += 32) {
        const w0 = v128.load(w), w1 = v128.load(w, 16);
        let s = v128.load32_splat(x);
        c00 = f32x4.add(c00, f32x4.mul(s, w0));
        c01 = f32x4.add(c01, f32x4.mul(s, w1));
        s = v128.load32_splat(x + x1);
        c10 = f32x4.add(c10, f32x4.mul(s, w0));
        c11 = f32x4.add(c11, f32x4.mul(s, w1));
        s = v128.load32_splat(x + x2);
        c20 = f32x4.add(c20, f32x4.mul(s, w0));
        c21 = f32x4.add(c21, f32x4.mul(s, w1));
        s = v128.load32_splat(x + x3);
        c30 = f32x4.add(c30, f32x4.mul(s, w0));
        c31 = f32x4.add(c31, f32x4.mul(s, w1));
      }
      pair(out, c00, c01, low, high, first, second);
      pair(out + stepOut, c10, c11, low, high, first, second);
      pair(out + stepOut * 2, c20, c21, low, high, first, second);
      pair(out + stepOut * 3, c30, c31, low, high, first, second);
      a += stepA * 4;
      out += stepOut * 4;
    }
    for (; rows > 0; rows--) {
      let w = block + 32, x = a;
      let c0 = v128.load(block), c1 = v128.load(block, 16);
      for (const end = a + (<usize>k << 2); x < end; x += 4, w += 32) {
        const s = v128.load32_splat(x);
        c0 = f32x4.add(c0, f32x4.mul(s, v128.load(w)));
        c1 = f32x4.add(c1, f32x4.mul(s, v128.load(w, 16)));
      }
      pair(out, c0, c1, low, high, first, second);
      a += stepA;
      out += stepOut;
    }
  } else {
    for (; rows > 0; rows--) {
      for (let n = 0; n < count; n++) {
        let w = block + (<usize>n << 2), x = a;
        let c = load<T>(w);
        for (const end = a + (<usize>k << 2); x < end; x += 4) {
          w += 32;
          c = <T>(c + <T>(load<T>(x) * load<T>(w)));
        }
        if (isFloat<T>()) c = <T>min<f32>(max<f32>(<f32>c, least), most);
        store<T>(out + (<usize>n << 2), c);
      }
      a += stepA;
      out += stepOut;
    }
  }
}

/** One row by four blocks at once, which hides the latency of the additions. */
export function gemmFloatRow(a: usize, k: i32, block: usize, out: usize, least: f32, most: f32): void {
  const step = <usize>blockBytes(k);
  if (ASC_FEATURE_SIMD) {
    const low = f32x4.splat(least), high = f32x4.splat(most);
    const b1 = block + step, b2 = b1 + step, b3 = b2 + step;
    let c00 = v128.load(block), c01 = v128.load(block, 16), c10 = v128.load(b1), c11 = v128.load(b1, 16);
    let c20 = v128.load(b2), c21 = v128.load(b2, 16), c30 = v128.load(b3), c31 = v128.load(b3, 16);
    let at: usize = 32;
    for (const end = a + (<usize>k << 2); a < end; a += 4, at += 32) {
      const s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, v128.load(block + at)));
      c01 = f32x4.add(c01, f32x4.mul(s, v128.load(block + at, 16)));
      c10 = f32x4.add(c10, f32x4.mul(s, v128.load(b1 + at)));
      c11 = f32x4.add(c11, f32x4.mul(s, v128.load(b1 + at, 16)));
      c20 = f32x4.add(c20, f32x4.mul(s, v128.load(b2 + at)));
      c21 = f32x4.add(c21, f32x4.mul(s, v128.load(b2 + at, 16)));
      c30 = f32x4.add(c30, f32x4.mul(s, v128.load(b3 + at)));
      c31 = f32x4.add(c31, f32x4.mul(s, v128.load(b3 + at, 16)));
    }
    pair(out, c00, c01, low, high, 16, 16);
    pair(out + 32, c10, c11, low, high, 16, 16);
    pair(out + 64, c20, c21, low, high, 16, 16);
    pair(out + 96, c30, c31, low, high, 16, 16);
  } else {
    for (let i = 0; i < 4; i++, block += step, out += 32) gemmFloat<f32>(a, 0, 1, k, block, out, 0, 8, least, most);
  }
}

function pair(out: usize, c0: v128, c1: v128, low: v128, high: v128, first: i32, second: i32): void {
  storeBytes16(out, f32x4.min(f32x4.max(c0, low), high), first);
  if (second > 0) storeBytes16(out + 16, f32x4.min(f32x4.max(c1, low), high), second);
}

/** `rows` rows by all `columns`, whose blocks lie one after the other. */
export function gemmFloatBlocks<T>(
  a: usize, stepA: usize, rows: i32, k: i32, block: usize, out: usize, stepOut: usize, columns: i32, least: f32, most: f32,
): void {
  const step = <usize>blockBytes(k);
  if (isFloat<T>() && rows == 1) {
    for (; columns >= 32; columns -= 32, block += step * 4, out += 128) gemmFloatRow(a, k, block, out, least, most);
  }
  for (; columns > 0; columns -= 8, block += step, out += 32) {
    gemmFloat<T>(a, stepA, rows, k, block, out, stepOut, min(columns, 8), least, most);
  }
}
