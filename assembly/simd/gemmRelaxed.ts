// The matrix product of gemm.ts by the relaxed dot, for x86: four int8 activations by four weights into one int32,
// and no widening. The instruction is exact where its second operand lies in 0 … 127, so that a weight w
// is split into two such operands, and two sums are made:
//
//   w = (w & 127) − 128 · (w >>> 7)         Σ x·w = Σ x·(w & 127) − (Σ x·(w >>> 7) << 7)
//
//   two pairs of a block, P0 and P1, zipped to four inputs of one output a lane:
//   ├ w[k][c0] w[k+1][c0] w[k+2][c0] w[k+3][c0] ┼ … c3 ┤ c4 … c7 ┤
//
// (or the same for the activations, where one of them meets many weights).
//
// Invariant: the same bytes as gemm4 and gemm1 for every int8 weight. Segments hold int8 cells; up to two
// bytes past a segment are read, and meet weights of zero.

import { calm, calmFour } from "../numeric/requantize";
import { BLOCK_HEAD, channels, high, low, lowBits, offset, segmentBytes, segmentCount, segments } from "./gemm";
import { alone } from "./gemm1Relaxed";
import { storeTail, zeros } from "./lanes";
import { dot, join, sign, zipLow } from "./relaxedLanes";

/** Four pixels, `step` bytes apart from `shift`; outputs `channels` bytes apart from `out`. */
export function gemm4Relaxed(shift: usize, step: usize, block: usize, out: usize): void {
  if (!calm) {
    alone(4, shift, step, block, out);
    return;
  }
  const lowest = i8x16.splat(<i8>low),
    highest = i8x16.splat(<i8>high),
    magic = i32x4.splat(offset),
    mask = i8x16.splat(<i8>lowBits);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1;
  const blockBytes = BLOCK_HEAD + ((<usize>segmentCount * bytes) << 3);
  for (let left = channels; left > 0; left -= 4) {
    const half = <usize>(channels - left) & 4;
    let c0 = v128.load(block + (half << 2));
    let c1 = c0, c2 = c0, c3 = c0;
    let s0 = zeros();
    let s1 = s0, s2 = s0, s3 = s0;
    let w = block + BLOCK_HEAD + (half << 1);
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a0 = <usize>load<u32>(segment) + shift;
      const end = a0 + bytes, whole = a0 + (bytes & ~3);
      let a1 = a0 + step,
        a2 = a1 + step,
        a3 = a2 + step;
      while (a0 < whole) {
        const q = zipLow(v128.load64_zero(w), v128.load64_zero(w, 16));
        w += 32;
        const p = v128.and(q, mask), t = sign(q, p);
        const x0 = v128.load32_splat(a0);
        c0 = dot(x0, p, c0);
        s0 = dot(x0, t, s0);
        const x1 = v128.load32_splat(a1);
        c1 = dot(x1, p, c1);
        s1 = dot(x1, t, s1);
        const x2 = v128.load32_splat(a2);
        c2 = dot(x2, p, c2);
        s2 = dot(x2, t, s2);
        const x3 = v128.load32_splat(a3);
        c3 = dot(x3, p, c3);
        s3 = dot(x3, t, s3);
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
      }
      if (a0 < end) {
        const q = zipLow(v128.load64_zero(w), i32x4.splat(0));
        w += 16;
        const p = v128.and(q, mask), t = sign(q, p);
        const x0 = v128.load32_splat(a0);
        c0 = dot(x0, p, c0);
        s0 = dot(x0, t, s0);
        const x1 = v128.load32_splat(a1);
        c1 = dot(x1, p, c1);
        s1 = dot(x1, t, s1);
        const x2 = v128.load32_splat(a2);
        c2 = dot(x2, p, c2);
        s2 = dot(x2, t, s2);
        const x3 = v128.load32_splat(a3);
        c3 = dot(x3, p, c3);
        s3 = dot(x3, t, s3);
      }
    }
    const m = block + 32 + (half << 2);
    const p = calmFour(join(c0, s0), join(c1, s1), join(c2, s2), join(c3, s3), v128.load(m), magic, lowest, highest);
    const stride = <usize>channels;
    if (left >= 4) {
      let o = out;
      v128.store32_lane(o, p, 0);
      o += stride;
      v128.store32_lane(o, p, 1);
      o += stride;
      v128.store32_lane(o, p, 2);
      o += stride;
      v128.store32_lane(o, p, 3);
    } else {
      storeTail(out, v128.extract_lane<u32>(p, 0), left);
      storeTail(out + stride, v128.extract_lane<u32>(p, 1), left);
      storeTail(out + 2 * stride, v128.extract_lane<u32>(p, 2), left);
      storeTail(out + 3 * stride, v128.extract_lane<u32>(p, 3), left);
    }
    if (half) block += blockBytes;
    out += 4;
  }
}

/**
 * Five pixels, for products of many rows: ten sums hide the latency of a dot, which eight do not, and six pixels
 * would take more registers than x86 has.
 */
export function gemm5Relaxed(shift: usize, step: usize, block: usize, out: usize): void {
  if (!calm) {
    alone(5, shift, step, block, out);
    return;
  }
  const lowest = i8x16.splat(<i8>low),
    highest = i8x16.splat(<i8>high),
    magic = i32x4.splat(offset),
    mask = i8x16.splat(<i8>lowBits);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1;
  const blockBytes = BLOCK_HEAD + ((<usize>segmentCount * bytes) << 3);
  for (let left = channels; left > 0; left -= 4) {
    const half = <usize>(channels - left) & 4;
    let c0 = v128.load(block + (half << 2));
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0;
    let s0 = zeros();
    let s1 = s0, s2 = s0, s3 = s0, s4 = s0;
    let w = block + BLOCK_HEAD + (half << 1);
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a0 = <usize>load<u32>(segment) + shift;
      const end = a0 + bytes, whole = a0 + (bytes & ~3);
      let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step, a4 = a3 + step;
      while (a0 < whole) {
        const q = zipLow(v128.load64_zero(w), v128.load64_zero(w, 16));
        w += 32;
        const p = v128.and(q, mask), t = sign(q, p);
        const x0 = v128.load32_splat(a0);
        c0 = dot(x0, p, c0);
        s0 = dot(x0, t, s0);
        const x1 = v128.load32_splat(a1);
        c1 = dot(x1, p, c1);
        s1 = dot(x1, t, s1);
        const x2 = v128.load32_splat(a2);
        c2 = dot(x2, p, c2);
        s2 = dot(x2, t, s2);
        const x3 = v128.load32_splat(a3);
        c3 = dot(x3, p, c3);
        s3 = dot(x3, t, s3);
        const x4 = v128.load32_splat(a4);
        c4 = dot(x4, p, c4);
        s4 = dot(x4, t, s4);
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
        a4 += 4;
      }
      if (a0 < end) {
        const q = zipLow(v128.load64_zero(w), i32x4.splat(0));
        w += 16;
        const p = v128.and(q, mask), t = sign(q, p);
        const x0 = v128.load32_splat(a0);
        c0 = dot(x0, p, c0);
        s0 = dot(x0, t, s0);
        const x1 = v128.load32_splat(a1);
        c1 = dot(x1, p, c1);
        s1 = dot(x1, t, s1);
        const x2 = v128.load32_splat(a2);
        c2 = dot(x2, p, c2);
        s2 = dot(x2, t, s2);
        const x3 = v128.load32_splat(a3);
        c3 = dot(x3, p, c3);
        s3 = dot(x3, t, s3);
        const x4 = v128.load32_splat(a4);
        c4 = dot(x4, p, c4);
        s4 = dot(x4, t, s4);
      }
    }
    const m = v128.load(block + 32 + (half << 2));
    const u = calmFour(join(c0, s0), join(c1, s1), join(c2, s2), join(c3, s3), m, magic, lowest, highest);
    const j4 = join(c4, s4);
    const v = calmFour(j4, j4, j4, j4, m, magic, lowest, highest);
    const stride = <usize>channels;
    if (left >= 4) {
      let o = out;
      v128.store32_lane(o, u, 0);
      o += stride;
      v128.store32_lane(o, u, 1);
      o += stride;
      v128.store32_lane(o, u, 2);
      o += stride;
      v128.store32_lane(o, u, 3);
      o += stride;
      v128.store32_lane(o, v, 0);
    } else {
      let o = out;
      storeTail(o, v128.extract_lane<u32>(u, 0), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(u, 1), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(u, 2), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(u, 3), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(v, 0), left);
    }
    if (half) block += blockBytes;
    out += 4;
  }
}
