// gemm.ts's product for arm64: the same blocks and segments, but activations are int8 as they are, and two
// pairs of products are summed in int16 before they are widened. V8 makes three arm64 instructions of that
// for sixteen products (smull, smlal, sadalp), where dot_i16x8 takes eight.
//
//   a couple is two pairs of inputs:   x01 = x[k] x[k+1] eight times     x23 = x[k+2] x[k+3] eight times
//   low halves:    int16 │ x[k]·w[k]c0 + x[k+2]·w[k+2]c0 │ x[k+1]·w[k+1]c0 + x[k+3]·w[k+3]c0 │ c1 … c3
//   pairwise:      int32 │ c0 │ c1 │ c2 │ c3                             and the high halves: c4 … c7
//
//   tile: four pixels × sixteen outputs, eight inputs a turn: 16 sums + 4 weights + 4 inputs in 32 registers
//
// Invariant: exact, because no two weights that a couple adds are both −128 (the packer gives such a step
// int16 weights, which these loops do not take); a hostile file gets wrong sums and nothing worse.

import { requantize16, requantize8 } from "../numeric/requantize";
import { BLOCK_HEAD, channels, high, low, offset, segmentBytes, segmentCount, segments } from "./gemm";
import { finish, sums } from "./finish";
import { storeBytes, storeBytes16, zeros } from "./lanes";

// @ts-ignore: decorator
@inline
export function lowCouple(sums: v128, x01: v128, p0: v128, x23: v128, p1: v128): v128 {
  const products = i16x8.add(i16x8.extmul_low_i8x16_s(x01, p0), i16x8.extmul_low_i8x16_s(x23, p1));
  return i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(products));
}

// @ts-ignore: decorator
@inline
export function highCouple(sums: v128, x01: v128, p0: v128, x23: v128, p1: v128): v128 {
  const products = i16x8.add(i16x8.extmul_high_i8x16_s(x01, p0), i16x8.extmul_high_i8x16_s(x23, p1));
  return i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(products));
}

// @ts-ignore: decorator
@inline
function lowPair(sums: v128, x: v128, p: v128): v128 {
  return i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_low_i8x16_s(x, p)));
}

// @ts-ignore: decorator
@inline
function highPair(sums: v128, x: v128, p: v128): v128 {
  return i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_high_i8x16_s(x, p)));
}

/** Pair 0 … 3 of eight inputs, eight times: one instruction on arm64, where load16_splat takes two. */
// @ts-ignore: decorator
@inline
export function pair0(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 0, 0, 0, 0, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
export function pair1(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 1, 1, 1, 1, 1, 1, 1, 1);
}

// @ts-ignore: decorator
@inline
function pair2(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 2, 2, 2, 2, 2, 2, 2, 2);
}

// @ts-ignore: decorator
@inline
function pair3(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 3, 3, 3, 3, 3, 3, 3, 3);
}

/** Four pixels, `step` bytes apart from `shift`; outputs `channels` bytes apart from `out`. */
export function gemm4Narrow(shift: usize, step: usize, block: usize, out: usize): void {
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1, turns = bytes & ~7;
  const blockBytes = BLOCK_HEAD + bytes * <usize>segmentCount * 8;
  let left = channels;
  for (; left > 8; left -= 16) {
    const next = block + blockBytes;
    let a0 = zeros(), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    let c0 = a0, c1 = a1, c2 = a2, c3 = a3;
    let d0 = a0, d1 = a1, d2 = a2, d3 = a3;
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      let b = a + step, c = b + step, d = c + step;
      const end = a + bytes, turnEnd = a + turns;
      while (a < turnEnd) {
        const xa = v128.load64_zero(a), xb = v128.load64_zero(b), xc = v128.load64_zero(c), xd = v128.load64_zero(d);
        let v = w + blockBytes;
        let p = v128.load(w), q = v128.load(w, 16), r = v128.load(v), s = v128.load(v, 16);
        let x = pair0(xa), y = pair1(xa);
        a0 = lowCouple(a0, x, p, y, q); a1 = highCouple(a1, x, p, y, q);
        a2 = lowCouple(a2, x, r, y, s); a3 = highCouple(a3, x, r, y, s);
        x = pair0(xb); y = pair1(xb);
        b0 = lowCouple(b0, x, p, y, q); b1 = highCouple(b1, x, p, y, q);
        b2 = lowCouple(b2, x, r, y, s); b3 = highCouple(b3, x, r, y, s);
        x = pair0(xc); y = pair1(xc);
        c0 = lowCouple(c0, x, p, y, q); c1 = highCouple(c1, x, p, y, q);
        c2 = lowCouple(c2, x, r, y, s); c3 = highCouple(c3, x, r, y, s);
        x = pair0(xd); y = pair1(xd);
        d0 = lowCouple(d0, x, p, y, q); d1 = highCouple(d1, x, p, y, q);
        d2 = lowCouple(d2, x, r, y, s); d3 = highCouple(d3, x, r, y, s);
        if (w == 0) break; // never: it keeps the compiler from mixing the two halves, whose weights it would have to hold
        p = v128.load(w, 32); q = v128.load(w, 48); r = v128.load(v, 32); s = v128.load(v, 48);
        x = pair2(xa); y = pair3(xa);
        a0 = lowCouple(a0, x, p, y, q); a1 = highCouple(a1, x, p, y, q);
        a2 = lowCouple(a2, x, r, y, s); a3 = highCouple(a3, x, r, y, s);
        x = pair2(xb); y = pair3(xb);
        b0 = lowCouple(b0, x, p, y, q); b1 = highCouple(b1, x, p, y, q);
        b2 = lowCouple(b2, x, r, y, s); b3 = highCouple(b3, x, r, y, s);
        x = pair2(xc); y = pair3(xc);
        c0 = lowCouple(c0, x, p, y, q); c1 = highCouple(c1, x, p, y, q);
        c2 = lowCouple(c2, x, r, y, s); c3 = highCouple(c3, x, r, y, s);
        x = pair2(xd); y = pair3(xd);
        d0 = lowCouple(d0, x, p, y, q); d1 = highCouple(d1, x, p, y, q);
        d2 = lowCouple(d2, x, r, y, s); d3 = highCouple(d3, x, r, y, s);
        w += 64;
        a += 8; b += 8; c += 8; d += 8;
      }
      while (a < end) {
        const p = v128.load(w), r = v128.load(w + blockBytes);
        let x = v128.load16_splat(a);
        a0 = lowPair(a0, x, p); a1 = highPair(a1, x, p); a2 = lowPair(a2, x, r); a3 = highPair(a3, x, r);
        x = v128.load16_splat(b);
        b0 = lowPair(b0, x, p); b1 = highPair(b1, x, p); b2 = lowPair(b2, x, r); b3 = highPair(b3, x, r);
        x = v128.load16_splat(c);
        c0 = lowPair(c0, x, p); c1 = highPair(c1, x, p); c2 = lowPair(c2, x, r); c3 = highPair(c3, x, r);
        x = v128.load16_splat(d);
        d0 = lowPair(d0, x, p); d1 = highPair(d1, x, p); d2 = lowPair(d2, x, r); d3 = highPair(d3, x, r);
        w += 16;
        a += 2; b += 2; c += 2; d += 2;
      }
    }
    v128.store(sums, a0, 0); v128.store(sums, a1, 16); v128.store(sums, a2, 128); v128.store(sums, a3, 144);
    v128.store(sums, b0, 32); v128.store(sums, b1, 48); v128.store(sums, b2, 160); v128.store(sums, b3, 176);
    v128.store(sums, c0, 64); v128.store(sums, c1, 80); v128.store(sums, c2, 192); v128.store(sums, c3, 208);
    v128.store(sums, d0, 96); v128.store(sums, d1, 112); v128.store(sums, d2, 224); v128.store(sums, d3, 240);
    finish(sums, 4, block, out, 8);
    finish(sums + 128, 4, next, out + 8, left - 8);
    block = next + blockBytes;
    out += 16;
  }
  if (left > 0) fourByEight(shift, step, block, out, left);
}

/** The last block: four pixels by eight outputs, of which `left` are stored. */
function fourByEight(shift: usize, step: usize, block: usize, out: usize, left: i32): void {
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1, turns = bytes & ~7;
  let a0 = zeros(), a1 = a0;
  let b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
  let w = block + BLOCK_HEAD;
  for (let segment = segments; segment < segmentEnd; segment += 4) {
    let a = <usize>load<u32>(segment) + shift;
    let b = a + step, c = b + step, d = c + step;
    const end = a + bytes, turnEnd = a + turns;
    while (a < turnEnd) {
      const xa = v128.load64_zero(a), xb = v128.load64_zero(b), xc = v128.load64_zero(c), xd = v128.load64_zero(d);
      let p = v128.load(w), q = v128.load(w, 16);
      let x = pair0(xa), y = pair1(xa);
      a0 = lowCouple(a0, x, p, y, q); a1 = highCouple(a1, x, p, y, q);
      x = pair0(xb); y = pair1(xb);
      b0 = lowCouple(b0, x, p, y, q); b1 = highCouple(b1, x, p, y, q);
      x = pair0(xc); y = pair1(xc);
      c0 = lowCouple(c0, x, p, y, q); c1 = highCouple(c1, x, p, y, q);
      x = pair0(xd); y = pair1(xd);
      d0 = lowCouple(d0, x, p, y, q); d1 = highCouple(d1, x, p, y, q);
      p = v128.load(w, 32); q = v128.load(w, 48);
      x = pair2(xa); y = pair3(xa);
      a0 = lowCouple(a0, x, p, y, q); a1 = highCouple(a1, x, p, y, q);
      x = pair2(xb); y = pair3(xb);
      b0 = lowCouple(b0, x, p, y, q); b1 = highCouple(b1, x, p, y, q);
      x = pair2(xc); y = pair3(xc);
      c0 = lowCouple(c0, x, p, y, q); c1 = highCouple(c1, x, p, y, q);
      x = pair2(xd); y = pair3(xd);
      d0 = lowCouple(d0, x, p, y, q); d1 = highCouple(d1, x, p, y, q);
      w += 64;
      a += 8; b += 8; c += 8; d += 8;
    }
    while (a < end) {
      const p = v128.load(w);
      let x = v128.load16_splat(a);
      a0 = lowPair(a0, x, p); a1 = highPair(a1, x, p);
      x = v128.load16_splat(b);
      b0 = lowPair(b0, x, p); b1 = highPair(b1, x, p);
      x = v128.load16_splat(c);
      c0 = lowPair(c0, x, p); c1 = highPair(c1, x, p);
      x = v128.load16_splat(d);
      d0 = lowPair(d0, x, p); d1 = highPair(d1, x, p);
      w += 16;
      a += 2; b += 2; c += 2; d += 2;
    }
  }
  v128.store(sums, a0, 0); v128.store(sums, a1, 16);
  v128.store(sums, b0, 32); v128.store(sums, b1, 48);
  v128.store(sums, c0, 64); v128.store(sums, c1, 80);
  v128.store(sums, d0, 96); v128.store(sums, d1, 112);
  finish(sums, 4, block, out, left);
}

/** One pixel: thirty-two outputs at a time while there are so many, to hide the latency of the sums. */
export function gemm1Narrow(shift: usize, block: usize, out: usize): void {
  const lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high), magic = i32x4.splat(offset);
  const segmentEnd = segments + ((<usize>segmentCount) << 2);
  const bytes = segmentBytes >> 1, turns = bytes & ~7;
  const blockBytes = BLOCK_HEAD + bytes * <usize>segmentCount * 8;
  let left = channels;
  for (; left > 24; left -= 32) {
    const b1 = block + blockBytes, b2 = b1 + blockBytes, b3 = b2 + blockBytes;
    let c0 = v128.load(block), c1 = v128.load(block, 16), c2 = v128.load(b1), c3 = v128.load(b1, 16);
    let c4 = v128.load(b2), c5 = v128.load(b2, 16), c6 = v128.load(b3), c7 = v128.load(b3, 16);
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      const end = a + bytes, turnEnd = a + turns;
      while (a < turnEnd) {
        const x = v128.load64_zero(a);
        const v1 = w + blockBytes, v2 = v1 + blockBytes, v3 = v2 + blockBytes;
        const x01 = pair0(x), x23 = pair1(x), x45 = pair2(x), x67 = pair3(x);
        let p = v128.load(w), q = v128.load(w, 16);
        c0 = lowCouple(c0, x01, p, x23, q); c1 = highCouple(c1, x01, p, x23, q);
        p = v128.load(w, 32); q = v128.load(w, 48);
        c0 = lowCouple(c0, x45, p, x67, q); c1 = highCouple(c1, x45, p, x67, q);
        p = v128.load(v1); q = v128.load(v1, 16);
        c2 = lowCouple(c2, x01, p, x23, q); c3 = highCouple(c3, x01, p, x23, q);
        p = v128.load(v1, 32); q = v128.load(v1, 48);
        c2 = lowCouple(c2, x45, p, x67, q); c3 = highCouple(c3, x45, p, x67, q);
        p = v128.load(v2); q = v128.load(v2, 16);
        c4 = lowCouple(c4, x01, p, x23, q); c5 = highCouple(c5, x01, p, x23, q);
        p = v128.load(v2, 32); q = v128.load(v2, 48);
        c4 = lowCouple(c4, x45, p, x67, q); c5 = highCouple(c5, x45, p, x67, q);
        p = v128.load(v3); q = v128.load(v3, 16);
        c6 = lowCouple(c6, x01, p, x23, q); c7 = highCouple(c7, x01, p, x23, q);
        p = v128.load(v3, 32); q = v128.load(v3, 48);
        c6 = lowCouple(c6, x45, p, x67, q); c7 = highCouple(c7, x45, p, x67, q);
        w += 64;
        a += 8;
      }
      for (; a < end; a += 2) {
        const x = v128.load16_splat(a);
        const v1 = w + blockBytes, v2 = v1 + blockBytes, v3 = v2 + blockBytes;
        let p = v128.load(w);
        c0 = lowPair(c0, x, p); c1 = highPair(c1, x, p);
        p = v128.load(v1);
        c2 = lowPair(c2, x, p); c3 = highPair(c3, x, p);
        p = v128.load(v2);
        c4 = lowPair(c4, x, p); c5 = highPair(c5, x, p);
        p = v128.load(v3);
        c6 = lowPair(c6, x, p); c7 = highPair(c7, x, p);
        w += 16;
      }
    }
    v128.store(out, requantize16(c0, c1, c2, c3, block + 32, b1 + 32, magic, lowest, highest));
    storeBytes16(out + 16, requantize16(c4, c5, c6, c7, b2 + 32, b3 + 32, magic, lowest, highest), left - 16);
    block = b3 + blockBytes;
    out += 32;
  }
  for (; left > 0; left -= 8) {
    let c0 = v128.load(block), c1 = v128.load(block, 16);
    let w = block + BLOCK_HEAD;
    for (let segment = segments; segment < segmentEnd; segment += 4) {
      let a = <usize>load<u32>(segment) + shift;
      const end = a + bytes, coupleEnd = a + (bytes & ~3);
      for (; a < coupleEnd; a += 4) {
        const x01 = v128.load16_splat(a), x23 = v128.load16_splat(a, 2);
        const p = v128.load(w), q = v128.load(w, 16);
        c0 = lowCouple(c0, x01, p, x23, q); c1 = highCouple(c1, x01, p, x23, q);
        w += 32;
      }
      if (a < end) {
        const x = v128.load16_splat(a), p = v128.load(w);
        c0 = lowPair(c0, x, p); c1 = highPair(c1, x, p);
        w += 16;
      }
    }
    storeBytes(out, requantize8(c0, c1, block + 32, magic, lowest, highest), left);
    block += blockBytes;
    out += 8;
  }
}
