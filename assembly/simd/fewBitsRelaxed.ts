// Products of int8 activations with codes of few bits by the relaxed dot: a code is 0 … 127, the second operand for which
// the standard fixes the result, so one dot does what takes two for int8 weights (gemmRelaxed.ts).
//
//   four bits:   v & 15 → quad of outputs 0 … 3       v >> 4 & 15 → outputs 4 … 7       × x[k] … x[k+3] ×4
//
// Where the dot into int32 is three instructions (x86 without VNNI), the one into int16 is summed as often as its lanes
// hold: 8 times for four bits, as 8 · 2 · 128 · 15 = 30720.
//
// Invariant: exact; writes `sums` only.

import { fifteen, sums, table } from "./fewBitsPlaces";
import { zeros } from "./lanes";

// @ts-ignore: decorator
@inline
function dot(x: v128, w: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
}

// @ts-ignore: decorator
@inline
function dot16(x: v128, w: v128, sum: v128): v128 {
  return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
}

/** The low codes of a vector; the high ones after a shift. */
// @ts-ignore: decorator
@inline
function unpack<T>(v: v128, values: v128, mask: v128): v128 {
  return isFloat<T>() ? i8x16.relaxed_swizzle(values, v128.and(v, mask)) : v128.and(v, mask);
}

/** Adds eight int16 as pairs to the four int32 at `at`. */
// @ts-ignore: decorator
@inline
function widen(at: usize, words: v128, ones: v128): void {
  v128.store(at, i32x4.add(v128.load(at), i32x4.dot_i16x8_s(words, ones)));
}

/** Five pixels, `step` bytes apart from `shift`, by the block whose vectors start at `w`. */
export function fewRelaxed5<T>(shift: usize, step: usize, w: usize, segment: usize, end: usize, vectors: i32): void {
  const values = v128.load(table), mask = v128.load(fifteen);
  let c00 = zeros();
  let c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00, c40 = c00, c41 = c00;
  for (; segment < end; segment += 4) {
    let a0 = <usize>load<u32>(segment) + shift;
    const last = w + ((<usize>vectors) << 4);
    let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step, a4 = a3 + step;
    for (; w < last; w += 16) {
      const v = v128.load(w);
      const p = unpack<T>(v, values, mask), q = unpack<T>(i16x8.shr_u(v, 4), values, mask);
      let x = v128.load32_splat(a0);
      c00 = dot(x, p, c00);
      c01 = dot(x, q, c01);
      x = v128.load32_splat(a1);
      c10 = dot(x, p, c10);
      c11 = dot(x, q, c11);
      x = v128.load32_splat(a2);
      c20 = dot(x, p, c20);
      c21 = dot(x, q, c21);
      x = v128.load32_splat(a3);
      c30 = dot(x, p, c30);
      c31 = dot(x, q, c31);
      x = v128.load32_splat(a4);
      c40 = dot(x, p, c40);
      c41 = dot(x, q, c41);
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
      a4 += 4;
    }
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, 32);
  v128.store(sums, c11, 48);
  v128.store(sums, c20, 64);
  v128.store(sums, c21, 80);
  v128.store(sums, c30, 96);
  v128.store(sums, c31, 112);
  v128.store(sums, c40, 128);
  v128.store(sums, c41, 144);
}

/** The same by int16 sums of `most` dots; codes that are no codebook's stand for themselves in the table. */
export function fewRelaxed5Words(
  shift: usize, step: usize, w: usize, segment: usize, end: usize, vectors: i32, most: i32,
): void {
  const values = v128.load(table), mask = v128.load(fifteen), ones = i16x8.splat(1);
  const run = <usize>most << 4;
  memory.fill(sums, 0, 160);
  for (; segment < end; segment += 4) {
    let a0 = <usize>load<u32>(segment) + shift;
    const last = w + ((<usize>vectors) << 4);
    let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step, a4 = a3 + step;
    while (w < last) {
      let c00 = zeros();
      let c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00, c40 = c00, c41 = c00;
      for (const stop = min<usize>(w + run, last); w < stop; w += 16) {
        const v = v128.load(w);
        const p = unpack<f32>(v, values, mask), q = unpack<f32>(i16x8.shr_u(v, 4), values, mask);
        let x = v128.load32_splat(a0);
        c00 = dot16(x, p, c00);
        c01 = dot16(x, q, c01);
        x = v128.load32_splat(a1);
        c10 = dot16(x, p, c10);
        c11 = dot16(x, q, c11);
        x = v128.load32_splat(a2);
        c20 = dot16(x, p, c20);
        c21 = dot16(x, q, c21);
        x = v128.load32_splat(a3);
        c30 = dot16(x, p, c30);
        c31 = dot16(x, q, c31);
        x = v128.load32_splat(a4);
        c40 = dot16(x, p, c40);
        c41 = dot16(x, q, c41);
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
        a4 += 4;
      }
      widen(sums, c00, ones);
      widen(sums + 16, c01, ones);
      widen(sums + 32, c10, ones);
      widen(sums + 48, c11, ones);
      widen(sums + 64, c20, ones);
      widen(sums + 80, c21, ones);
      widen(sums + 96, c30, ones);
      widen(sums + 112, c31, ones);
      widen(sums + 128, c40, ones);
      widen(sums + 144, c41, ones);
    }
  }
}

/** One pixel by four blocks, whose vectors start at w0 … w3. */
export function fewRelaxed1<T>(
  shift: usize, w0: usize, w1: usize, w2: usize, w3: usize, segment: usize, end: usize, vectors: i32,
): void {
  const values = v128.load(table), mask = v128.load(fifteen);
  let c0 = zeros();
  let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (; segment < end; segment += 4) {
    let a = <usize>load<u32>(segment) + shift;
    for (const last = w0 + ((<usize>vectors) << 4); w0 < last; w0 += 16, w1 += 16, w2 += 16, w3 += 16) {
      const v0 = v128.load(w0), v1 = v128.load(w1), v2 = v128.load(w2), v3 = v128.load(w3);
      const x = v128.load32_splat(a);
      a += 4;
      c0 = dot(x, unpack<T>(v0, values, mask), c0);
      c1 = dot(x, unpack<T>(i16x8.shr_u(v0, 4), values, mask), c1);
      c2 = dot(x, unpack<T>(v1, values, mask), c2);
      c3 = dot(x, unpack<T>(i16x8.shr_u(v1, 4), values, mask), c3);
      c4 = dot(x, unpack<T>(v2, values, mask), c4);
      c5 = dot(x, unpack<T>(i16x8.shr_u(v2, 4), values, mask), c5);
      c6 = dot(x, unpack<T>(v3, values, mask), c6);
      c7 = dot(x, unpack<T>(i16x8.shr_u(v3, 4), values, mask), c7);
    }
  }
  v128.store(sums, c0);
  v128.store(sums, c1, 16);
  v128.store(sums, c2, 32);
  v128.store(sums, c3, 48);
  v128.store(sums, c4, 64);
  v128.store(sums, c5, 80);
  v128.store(sums, c6, 96);
  v128.store(sums, c7, 112);
}
