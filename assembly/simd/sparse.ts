// The product of gemm.ts over the groups of weights that are not zero (numeric/sparseBlocks.ts draws them): four
// pixels by eight outputs, two dots a pixel and four outputs for every group. Outputs are outermost, so that
// a block's groups are read for all pixels of a strip and their count repeats from tile to tile.
//
//   place ──► cell = pixel + 4·place ──► x[k]x[k+1] ×4 · pair 0   x[k+2]x[k+3] ×4 · pair 1
//
// Invariant: exact in int32, so the same bytes as the dense kernels with the zeros written out.

import { SPARSE_HEAD, counts, groupBytes, places, scale8, sparseBlocks, sparseScalar } from "../numeric/sparseBlocks";
import { MAGIC_BITS } from "../numeric/requantize";
import { channels, high, low, offset } from "./gemm";
import { storeBytes, storeFour } from "./lanes";
import { narrow } from "./machine";
import { fourPixelsNarrow, onePixelNarrow } from "./sparseNarrow";
import { sparseRelaxed } from "./sparseRelaxed";

/** Whether cells are read as int8, where they lie. */
// @ts-ignore: decorator
@inline
export function sparseTakesInt8(): bool {
  return !ASC_FEATURE_SIMD || ASC_FEATURE_RELAXED_SIMD || narrow;
}

/**
 * `pixels` pixels, `step` bytes apart from `x`, against all blocks; outputs `channels` bytes apart from `out`.
 * Weights of four bits are widened block by block to `widened`.
 */
export function sparseStrip<CELL>(x: usize, step: usize, pixels: i32, out: usize, widened: usize): void {
  if (!ASC_FEATURE_SIMD) {
    sparseScalar(x, step, pixels, out, channels, MAGIC_BITS - offset, low, high);
    return;
  }
  let count = counts, place = places, block = sparseBlocks;
  for (let left = channels; left > 0; left -= 8) {
    const groups = <usize>load<u16>(count);
    let w = block + SPARSE_HEAD;
    const next = w + groups * groupBytes;
    if (ASC_FEATURE_RELAXED_SIMD) {
      sparseRelaxed(x, step, pixels, block, w, next, place, out, left);
    } else {
      if (groupBytes == 16) {
        widenNibbles(widened, w, next);
        w = widened;
      }
      tiles<CELL>(x, step, pixels, block, w, w + (groups << 5), place, out, left);
    }
    count += 2;
    place += groups << 1;
    block = next;
    out += 8;
  }
}

/** Eight outputs, of which `left` are stored, of all pixels; their groups lie from `w` to `end`. */
// @ts-ignore: decorator
@inline
function tiles<CELL>(
  x: usize, step: usize, pixels: i32, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  if (pixels >= 4) {
    if (sizeof<CELL>() == 2) fourPixels(x, step, pixels, head, w, end, place, out, left);
    else fourPixelsNarrow(x, step, pixels, head, w, end, place, out, left);
    return;
  }
  for (; pixels > 0; pixels--, x += step, out += <usize>channels) {
    if (sizeof<CELL>() == 2) onePixel(x, head, w, end, place, out, left);
    else onePixelNarrow(x, head, w, end, place, out, left);
  }
}

/** Groups of four-bit weights from `from` to `end`, as groups of int8 ones to `to`. */
function widenNibbles(to: usize, from: usize, end: usize): void {
  for (; from < end; from += 16, to += 32) {
    const v = v128.load(from), mask = i8x16.splat(15), eight = i8x16.splat(8);
    const p = i8x16.sub(v128.and(v, mask), eight), q = i8x16.sub(v128.and(i16x8.shr_u(v, 4), mask), eight);
    v128.store(to, v128.shuffle<i16>(p, q, 0, 2, 4, 6, 8, 10, 12, 14));
    v128.store(to, v128.shuffle<i16>(p, q, 1, 3, 5, 7, 9, 11, 13, 15), 16);
  }
}

/** Four pixels and more, of int16 cells. */
function fourPixels(
  a: usize, step: usize, pixels: i32, head: usize, weights: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  const stride = <usize>channels;
  while (pixels > 0) {
    if (pixels < 4) {
      // The last tile starts early and writes some pixels again, with the same bytes.
      const back = <usize>(4 - pixels);
      a -= back * step;
      out -= back * stride;
    }
    let c00 = v128.load(head), c01 = v128.load(head, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights, q = place;
    while (w < end) {
      const p0 = a + ((<usize>load<u16>(q)) << 3), p1 = p0 + step, p2 = p1 + step, p3 = p2 + step;
      q += 2;
      let w0 = v128.load8x8_s(w), w1 = v128.load8x8_s(w, 8);
      let v = v128.load32_splat(p0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(v, w0));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p1);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(v, w0));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p2);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(v, w0));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p3);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(v, w0));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, w1));
      w += 16;
      // Never so; it ends a basic block, because V8 puts all loads of a block before all sums and runs out of registers.
      if (w >= end) break;
      w0 = v128.load8x8_s(w); w1 = v128.load8x8_s(w, 8);
      v = v128.load32_splat(p0, 4);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(v, w0));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p1, 4);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(v, w0));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p2, 4);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(v, w0));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, w1));
      v = v128.load32_splat(p3, 4);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(v, w0));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, w1));
      w += 16;
    }
    // Only now: the loop needs every register.
    const m0 = v128.load(head, 32), m1 = v128.load(head, 48), magic = i32x4.splat(offset);
    const p01 = clamp(scale8(c00, c01, m0, m1, magic), scale8(c10, c11, m0, m1, magic));
    const p23 = clamp(scale8(c20, c21, m0, m1, magic), scale8(c30, c31, m0, m1, magic));
    storeFour(out, stride, p01, p23, left);
    pixels -= 4;
    a += 4 * step;
    out += 4 * stride;
  }
}

/** One pixel of int16 cells. */
function onePixel(a: usize, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32): void {
  let c0 = v128.load(head), c1 = v128.load(head, 16);
  for (; w < end; w += 32, place += 2) {
    const at = a + ((<usize>load<u16>(place)) << 3);
    let v = v128.load32_splat(at);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v, v128.load8x8_s(w)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v, v128.load8x8_s(w, 8)));
    v = v128.load32_splat(at, 4);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v, v128.load8x8_s(w, 16)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v, v128.load8x8_s(w, 24)));
  }
  const p = scale8(c0, c1, v128.load(head, 32), v128.load(head, 48), i32x4.splat(offset));
  storeBytes(out, clamp(p, p), left);
}

/** int16 to int8 between the step's bounds. */
// @ts-ignore: decorator
@inline
export function clamp(a: v128, b: v128): v128 {
  const bytes = i8x16.narrow_i16x8_s(a, b);
  return i8x16.min_s(i8x16.splat(<i8>high), i8x16.max_s(i8x16.splat(<i8>low), bytes));
}
