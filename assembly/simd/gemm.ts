// The matrix product behind conv2d and fullyConnected: a tile of four (or one) pixels times all
// output channels, eight at a time, with bias, requantization and clamp before the one store.
// Activations are int16 in scratch and broadcast in pairs; weights lie as the packer laid them:
//
//   a block is eight output channels:   ├ bias i32×8 ┼ multiplier f32×8 ┼ pair 0 ┼ pair 1 ┼ … ┤
//   a pair is two consecutive inputs:   ├ w[k][c0] w[k+1][c0] w[k][c1] w[k+1][c1] … c7 ┤   16 × i8, or × i16 (WIDE)
//
//   the K axis is cut into segments that are contiguous in memory (one a kernel row, or one a kernel
//   cell where the width is dilated); `segments` lists their addresses for pixel 0.
//
// Invariant: sums are exact in int32 (the packer refuses a K for which they could not be).

import { MAGIC_BITS, calm, calm16, reckon, requantize16, requantize8 } from "../numeric/requantize";
import { storeBytes, storeFour, storeTail, widen } from "./lanes";

/** Bytes of bias and multipliers at the head of a block. */
export const BLOCK_HEAD: usize = 64;

/** The constants of a product: set once a step, read by every tile. */
export let segments: usize = 0;
export let segmentCount: i32 = 0;
/** of int16 cells */
export let segmentBytes: usize = 0;
export let channels: i32 = 0;
export let low: i32 = 0;
export let high: i32 = 0;
export let offset: i32 = 0;
/** 127, which engines would make anew for every use, were it a constant to them. */
export let lowBits: i32 = 0;

export function gemmSetup(segs: usize, count: i32, pairs: i32, outC: i32, zero: i32, min: i32, max: i32): void {
  segments = segs;
  segmentCount = count;
  segmentBytes = (<usize>pairs) << 2;
  channels = outC;
  low = min;
  high = max;
  offset = MAGIC_BITS - zero;
  if (ASC_FEATURE_RELAXED_SIMD) lowBits = 127;
}

/** Looks at the blocks of a product of several pixels: what its tiles may leave out (numeric/requantize.ts). */
export function gemmReckon<WIDE>(block: usize): void {
  const pairs = (segmentBytes * <usize>segmentCount) >> 2;
  reckon(block, BLOCK_HEAD + pairs * (isInteger<WIDE>() ? 32 : 16), channels, <i32>pairs << 1);
}

/** Lays blocks of int8 weights out at `to` as those of int16 (WIDE). */
export function widenBlocks(block: usize, to: usize, pairs: i32, outC: i32): void {
  for (; outC > 0; outC -= 8) {
    for (const end = to + BLOCK_HEAD; to < end; to += 16, block += 16) v128.store(to, v128.load(block));
    widen(to, block, pairs << 4);
    to += (<usize>pairs) << 5;
    block += (<usize>pairs) << 4;
  }
}

/** Four pixels, `step` bytes apart in scratch from `shift`; outputs `channels` bytes apart from `out`. */
export function gemm4<WIDE>(shift: usize, step: usize, block: usize, out: usize): void {
  const stride = <usize>channels;
  if (!calm) {
    for (let p = 4; p > 0; p--, shift += step, out += stride) gemm1<WIDE>(shift, block, out);
    return;
  }
  const lowest = i8x16.splat(<i8>low),
    highest = i8x16.splat(<i8>high),
    magic = i32x4.splat(offset);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  for (let left = channels; left > 0; left -= 8) {
    let c00 = v128.load(block),
      c01 = v128.load(block, 16);
    let c10 = c00,
      c11 = c01,
      c20 = c00,
      c21 = c01,
      c30 = c00,
      c31 = c01;
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a0 = <usize>load<u32>(segment) + shift;
      const end = a0 + segmentBytes;
      let a1 = a0 + step,
        a2 = a1 + step,
        a3 = a2 + step;
      while (a0 < end) {
        let w0: v128, w1: v128;
        if (isInteger<WIDE>()) {
          w0 = v128.load(w);
          w1 = v128.load(w, 16);
          w += 32;
        } else {
          w0 = v128.load8x8_s(w);
          w1 = v128.load8x8_s(w, 8);
          w += 16;
        }
        const x0 = v128.load32_splat(a0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x0, w0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x0, w1));
        const x1 = v128.load32_splat(a1);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x1, w0));
        c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x1, w1));
        const x2 = v128.load32_splat(a2);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x2, w0));
        c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x2, w1));
        const x3 = v128.load32_splat(a3);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x3, w0));
        c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x3, w1));
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
      }
    }
    const multipliers = block + 32;
    const p01 = calm16(c00, c01, c10, c11, multipliers, magic, lowest, highest);
    const p23 = calm16(c20, c21, c30, c31, multipliers, magic, lowest, highest);
    storeFour(out, stride, p01, p23, left);
    block = w;
    out += 8;
  }
}

/** One pixel: thirty-two outputs at a time while there are so many blocks, to hide the latency of the sums. */
export function gemm1<WIDE>(shift: usize, block: usize, out: usize): void {
  const lowest = i8x16.splat(<i8>low),
    highest = i8x16.splat(<i8>high),
    magic = i32x4.splat(offset);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const pairBytes: usize = isInteger<WIDE>() ? 32 : 16;
  const blockBytes = BLOCK_HEAD + ((segmentBytes * <usize>segmentCount) >> 2) * pairBytes;
  let left = channels;
  while (left > 24) {
    const b1 = block + blockBytes,
      b2 = b1 + blockBytes,
      b3 = b2 + blockBytes;
    let c0 = v128.load(block),
      c1 = v128.load(block, 16),
      c2 = v128.load(b1),
      c3 = v128.load(b1, 16);
    let c4 = v128.load(b2),
      c5 = v128.load(b2, 16),
      c6 = v128.load(b3),
      c7 = v128.load(b3, 16);
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      const end = a + segmentBytes;
      while (a < end) {
        const x = v128.load32_splat(a);
        a += 4;
        const v1 = w + blockBytes,
          v2 = v1 + blockBytes,
          v3 = v2 + blockBytes;
        if (isInteger<WIDE>()) {
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load(w)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load(v1)));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load(v1, 16)));
          c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, v128.load(v2)));
          c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, v128.load(v2, 16)));
          c6 = i32x4.add(c6, i32x4.dot_i16x8_s(x, v128.load(v3)));
          c7 = i32x4.add(c7, i32x4.dot_i16x8_s(x, v128.load(v3, 16)));
        } else {
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load8x8_s(v1)));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load8x8_s(v1, 8)));
          c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, v128.load8x8_s(v2)));
          c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, v128.load8x8_s(v2, 8)));
          c6 = i32x4.add(c6, i32x4.dot_i16x8_s(x, v128.load8x8_s(v3)));
          c7 = i32x4.add(c7, i32x4.dot_i16x8_s(x, v128.load8x8_s(v3, 8)));
        }
        w += pairBytes;
      }
    }
    v128.store(out, requantize16(c0, c1, c2, c3, block + 32, b1 + 32, magic, lowest, highest));
    const last = requantize16(c4, c5, c6, c7, b2 + 32, b3 + 32, magic, lowest, highest);
    if (left >= 32) {
      v128.store(out, last, 16);
    } else {
      v128.store64_lane(out, last, 0, 16);
      storeTail(out + 24, v128.extract_lane<i64>(last, 1), left - 24);
    }
    block = b3 + blockBytes;
    out += 32;
    left -= 32;
  }
  while (left > 0) {
    let c0 = v128.load(block),
      c1 = v128.load(block, 16);
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      const end = a + segmentBytes;
      while (a < end) {
        const x = v128.load32_splat(a);
        a += 4;
        if (isInteger<WIDE>()) {
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load(w)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
        } else {
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
        }
        w += pairBytes;
      }
    }
    storeBytes(out, requantize8(c0, c1, block + 32, magic, lowest, highest), left);
    block += blockBytes;
    out += 8;
    left -= 8;
  }
}
