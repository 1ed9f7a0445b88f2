// Products of int8 activations with codes of few bits for arm64, by extmul into int16 sums: V8 makes one instruction
// (smlal) of eight products and their addition, and the sums are widened only after as many as int16 holds: 16 products
// of four-bit codes, as 16 · 128 · 15 = 30720.
//
//   x[k] … x[k+3] ×4  ×  a vector's low codes:   low half:  │ c0: k │ k+1 │ k+2 │ k+3 │ c1: k … k+3 │    high half: c2, c3
//   widened:          pairs of neighbours, then pairs again: │ c0 │ c1 │ c2 │ c3 │
//
//   tile: four pixels × eight outputs: 16 int16 sums + 2 codes + 1 input + mask in 32 registers; int32 sums in memory
//
// Invariant: exact; writes `sums` only.

import { fifteen, sums, table } from "./fewBitsPlaces";
import { zeros } from "./lanes";

// @ts-ignore: decorator
@inline
function lows(sum: v128, x: v128, u: v128): v128 {
  return i16x8.add(sum, i16x8.extmul_low_i8x16_s(x, u));
}

// @ts-ignore: decorator
@inline
function highs(sum: v128, x: v128, u: v128): v128 {
  return i16x8.add(sum, i16x8.extmul_high_i8x16_s(x, u));
}

// @ts-ignore: decorator
@inline
function unpack<T>(v: v128, values: v128, mask: v128): v128 {
  return isFloat<T>() ? i8x16.swizzle(values, v128.and(v, mask)) : v128.and(v, mask);
}

/** Adds the sums of four outputs, four int16 each, to the four int32 at `at`. */
function widen(at: usize, low: v128, high: v128): void {
  const a = i32x4.extadd_pairwise_i16x8_s(low), b = i32x4.extadd_pairwise_i16x8_s(high);
  const joined = i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
  v128.store(at, i32x4.add(v128.load(at), joined));
}

/** Four pixels, `step` bytes apart from `shift`, by the block whose vectors start at `w`; int16 holds 2 · `most` products. */
export function fewNarrow4<T>(shift: usize, step: usize, w: usize, segment: usize, end: usize, vectors: i32, most: i32): void {
  const values = v128.load(table), mask = v128.load(fifteen);
  const run = <usize>most << 5;
  memory.fill(sums, 0, 128);
  for (; segment < end; segment += 4) {
    let a = <usize>load<u32>(segment) + shift;
    const last = w + ((<usize>vectors) << 4);
    let b = a + step, c = b + step, d = c + step;
    while (w < last) {
      let a0 = zeros();
      let a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      let c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      for (const stop = min<usize>(w + run, last); w < stop; w += 16) {
        const v = v128.load(w);
        const p = unpack<T>(v, values, mask);
        const q = !isFloat<T>() ? i8x16.shr_u(v, 4) : unpack<T>(i8x16.shr_u(v, 4), values, mask);
        let x = v128.load32_splat(a);
        a0 = lows(a0, x, p); a1 = highs(a1, x, p); a2 = lows(a2, x, q); a3 = highs(a3, x, q);
        x = v128.load32_splat(b);
        b0 = lows(b0, x, p); b1 = highs(b1, x, p); b2 = lows(b2, x, q); b3 = highs(b3, x, q);
        x = v128.load32_splat(c);
        c0 = lows(c0, x, p); c1 = highs(c1, x, p); c2 = lows(c2, x, q); c3 = highs(c3, x, q);
        x = v128.load32_splat(d);
        d0 = lows(d0, x, p); d1 = highs(d1, x, p); d2 = lows(d2, x, q); d3 = highs(d3, x, q);
        a += 4; b += 4; c += 4; d += 4;
      }
      widen(sums, a0, a1);
      widen(sums + 16, a2, a3);
      widen(sums + 32, b0, b1);
      widen(sums + 48, b2, b3);
      widen(sums + 64, c0, c1);
      widen(sums + 80, c2, c3);
      widen(sums + 96, d0, d1);
      widen(sums + 112, d2, d3);
    }
  }
}

/** One pixel by four blocks, whose vectors start at w0 … w3. */
export function fewNarrow1<T>(
  shift: usize, w0: usize, w1: usize, w2: usize, w3: usize, segment: usize, end: usize, vectors: i32, most: i32,
): void {
  const values = v128.load(table), mask = v128.load(fifteen);
  const run = <usize>most << 5;
  memory.fill(sums, 0, 128);
  for (; segment < end; segment += 4) {
    let at = <usize>load<u32>(segment) + shift;
    const last = w0 + ((<usize>vectors) << 4);
    while (w0 < last) {
      let a0 = zeros();
      let a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      let c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      for (const stop = min<usize>(w0 + run, last); w0 < stop; w0 += 16, w1 += 16, w2 += 16, w3 += 16) {
        const v0 = v128.load(w0), v1 = v128.load(w1), v2 = v128.load(w2), v3 = v128.load(w3);
        const x = v128.load32_splat(at);
        at += 4;
        let u = unpack<T>(v0, values, mask);
        a0 = lows(a0, x, u); a1 = highs(a1, x, u);
        u = unpack<T>(i8x16.shr_u(v0, 4), values, mask);
        a2 = lows(a2, x, u); a3 = highs(a3, x, u);
        u = unpack<T>(v1, values, mask);
        b0 = lows(b0, x, u); b1 = highs(b1, x, u);
        u = unpack<T>(i8x16.shr_u(v1, 4), values, mask);
        b2 = lows(b2, x, u); b3 = highs(b3, x, u);
        u = unpack<T>(v2, values, mask);
        c0 = lows(c0, x, u); c1 = highs(c1, x, u);
        u = unpack<T>(i8x16.shr_u(v2, 4), values, mask);
        c2 = lows(c2, x, u); c3 = highs(c3, x, u);
        u = unpack<T>(v3, values, mask);
        d0 = lows(d0, x, u); d1 = highs(d1, x, u);
        u = unpack<T>(i8x16.shr_u(v3, 4), values, mask);
        d2 = lows(d2, x, u); d3 = highs(d3, x, u);
      }
      widen(sums, a0, a1);
      widen(sums + 16, a2, a3);
      widen(sums + 32, b0, b1);
      widen(sums + 48, b2, b3);
      widen(sums + 64, c0, c1);
      widen(sums + 80, c2, c3);
      widen(sums + 96, d0, d1);
      widen(sums + 112, d2, d3);
    }
  }
}
