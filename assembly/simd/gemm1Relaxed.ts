// One pixel by the relaxed dot, for every int8 weight: the activations are split into two seven-bit operands,
//
//   x = (x & 127) − 128 · (x >>> 7)         Σ w·x = Σ w·(x & 127) − (Σ w·(x >>> 7) << 7)
//
// Invariant: the same bytes as gemm1. Up to two bytes past a segment are read, and meet weights of zero.

import { requantize16, requantize8 } from "../numeric/requantize";
import { BLOCK_HEAD, channels, high, low, lowBits, offset, segmentBytes, segmentCount, segments } from "./gemm";
import { storeBytes, storeBytes16, zeros } from "./lanes";
import { dot, join, sign, zipHigh, zipLow } from "./relaxedLanes";

/** `count` pixels one by one: what tiles do whose sums may be too large for them. */
export function alone(count: i32, shift: usize, step: usize, block: usize, out: usize): void {
  for (; count > 0; count--, shift += step, out += <usize>channels) gemm1Relaxed(shift, block, out);
}

/**
 * Sixteen outputs at a time, to hide the latency of the sums. The weights stay whole: one vector of four inputs serves
 * all outputs.
 */
export function gemm1Relaxed(shift: usize, block: usize, out: usize): void {
  const lowest = i8x16.splat(<i8>low),
    highest = i8x16.splat(<i8>high),
    magic = i32x4.splat(offset),
    mask = i8x16.splat(<i8>lowBits);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1;
  const blockBytes = BLOCK_HEAD + ((<usize>segmentCount * bytes) << 3);
  for (let left = channels; left > 0; left -= 16) {
    // with one block left the second is the first again, and is not stored
    const next = left > 8 ? blockBytes : 0;
    let c0 = v128.load(block),
      c1 = v128.load(block, 16),
      c2 = v128.load(block + next),
      c3 = v128.load(block + next, 16);
    let s0 = zeros();
    let s1 = s0,
      s2 = s0,
      s3 = s0;
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      const end = a + bytes;
      while (a < end) {
        const x = v128.load32_splat(a);
        const p = v128.and(x, mask), t = sign(x, p);
        const v = w + next;
        const w0 = v128.load(w),
          w2 = v128.load(v);
        let w1 = zeros(),
          w3 = w1;
        if (a + 2 < end) {
          w1 = v128.load(w, 16);
          w3 = v128.load(v, 16);
        }
        w += 32;
        a += 4;
        const q0 = zipLow(w0, w1), q1 = zipHigh(w0, w1), q2 = zipLow(w2, w3), q3 = zipHigh(w2, w3);
        c0 = dot(q0, p, c0);
        s0 = dot(q0, t, s0);
        c1 = dot(q1, p, c1);
        s1 = dot(q1, t, s1);
        c2 = dot(q2, p, c2);
        s2 = dot(q2, t, s2);
        c3 = dot(q3, p, c3);
        s3 = dot(q3, t, s3);
      }
      // an odd pair at the end took the place of one
      w -= (bytes & 2) << 3;
    }
    c0 = join(c0, s0);
    c1 = join(c1, s1);
    if (left > 8) {
      const second = block + blockBytes + 32;
      storeBytes16(out, requantize16(c0, c1, join(c2, s2), join(c3, s3), block + 32, second, magic, lowest, highest), left);
    } else {
      storeBytes(out, requantize8(c0, c1, block + 32, magic, lowest, highest), left);
    }
    block += 2 * blockBytes;
    out += 16;
  }
}
