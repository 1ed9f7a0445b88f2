// Products of int16 activations with codes of few bits, by dot_i16x8, for x86. A vector of codes is unpacked once for five
// pixels, as int16: the even inputs of its quads (bytes 4o and 4o + 2), then the odd ones, so the activations lie in the
// same order. Where codes are the values, the low ones keep the high ones above them, which saves a mask: sixteen times the
// sums of the high ones are taken off at the end.
//
//   cells of a quad:  x[k] x[k+2] x[k+1] x[k+3]       v & 255      outputs 0 … 3, inputs k, k + 2     × x[k]x[k+2] ×4
//                                                     v >> 8       outputs 0 … 3, inputs k + 1, k + 3 × x[k+1]x[k+3] ×4
//                                                     v >> 4 & 15, v >> 12: outputs 4 … 7
//
//   tile: 10 sums, the vector, two of codes, input and product in 16 registers; masks and table stay in memory
//
// Invariant: exact, sums wrapping in int32; writes `sums` only.

import { byteWords, fifteen, fifteenWords, sums, table } from "./fewBitsPlaces";
import { zeros } from "./lanes";

// @ts-ignore: decorator
@inline
function add(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

/** The values of the codes in the low halves of bytes. */
// @ts-ignore: decorator
@inline
function lookUp(codes: v128): v128 {
  return i8x16.swizzle(v128.load(table), v128.and(codes, v128.load(fifteen)));
}

/** Σ of the low codes, from Σ of what held the high ones too. */
// @ts-ignore: decorator
@inline
function lowSum<T>(both: v128, high: v128): v128 {
  return isFloat<T>() ? both : i32x4.sub(both, i32x4.shl(high, 4));
}

/** Five pixels, `step` bytes apart from `shift`, by the block whose vectors start at `w`. */
export function fewDot5<T>(shift: usize, step: usize, w: usize, segment: usize, end: usize, vectors: i32): void {
  let c00 = zeros();
  let c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00, c40 = c00, c41 = c00;
  for (; segment < end; segment += 4) {
    let a0 = <usize>load<u32>(segment) + shift;
    const last = w + ((<usize>vectors) << 4);
    let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step, a4 = a3 + step;
    for (; w < last; w += 16) {
      let low = v128.load(w), high = low;
      if (isFloat<T>()) {
        high = lookUp(i16x8.shr_u(low, 4));
        low = lookUp(low);
      }
      let p = v128.and(low, v128.load(byteWords));
      let q = isFloat<T>() ? v128.and(high, v128.load(byteWords)) : v128.and(i16x8.shr_u(high, 4), v128.load(fifteenWords));
      let x = v128.load32_splat(a0);
      c00 = add(c00, x, p);
      c01 = add(c01, x, q);
      x = v128.load32_splat(a1);
      c10 = add(c10, x, p);
      c11 = add(c11, x, q);
      x = v128.load32_splat(a2);
      c20 = add(c20, x, p);
      c21 = add(c21, x, q);
      x = v128.load32_splat(a3);
      c30 = add(c30, x, p);
      c31 = add(c31, x, q);
      x = v128.load32_splat(a4);
      c40 = add(c40, x, p);
      c41 = add(c41, x, q);
      p = i16x8.shr_u(low, 8);
      q = i16x8.shr_u(high, isFloat<T>() ? 8 : 12);
      x = v128.load32_splat(a0, 4);
      c00 = add(c00, x, p);
      c01 = add(c01, x, q);
      x = v128.load32_splat(a1, 4);
      c10 = add(c10, x, p);
      c11 = add(c11, x, q);
      x = v128.load32_splat(a2, 4);
      c20 = add(c20, x, p);
      c21 = add(c21, x, q);
      x = v128.load32_splat(a3, 4);
      c30 = add(c30, x, p);
      c31 = add(c31, x, q);
      x = v128.load32_splat(a4, 4);
      c40 = add(c40, x, p);
      c41 = add(c41, x, q);
      a0 += 8;
      a1 += 8;
      a2 += 8;
      a3 += 8;
      a4 += 8;
    }
  }
  v128.store(sums, lowSum<T>(c00, c01));
  v128.store(sums, c01, 16);
  v128.store(sums, lowSum<T>(c10, c11), 32);
  v128.store(sums, c11, 48);
  v128.store(sums, lowSum<T>(c20, c21), 64);
  v128.store(sums, c21, 80);
  v128.store(sums, lowSum<T>(c30, c31), 96);
  v128.store(sums, c31, 112);
  v128.store(sums, lowSum<T>(c40, c41), 128);
  v128.store(sums, c41, 144);
}

/** What a vector of codes adds to the sums of its low codes: even inputs at `a`, odd ones behind them. */
// @ts-ignore: decorator
@inline
function lowOf<T>(sum: v128, v: v128, a: usize): v128 {
  const w = isFloat<T>() ? lookUp(v) : v;
  return add(add(sum, v128.load32_splat(a), v128.and(w, v128.load(byteWords))), v128.load32_splat(a, 4), i16x8.shr_u(w, 8));
}

// @ts-ignore: decorator
@inline
function highOf<T>(sum: v128, v: v128, a: usize): v128 {
  const even = v128.load32_splat(a), odd = v128.load32_splat(a, 4);
  if (isFloat<T>()) {
    const w = lookUp(i16x8.shr_u(v, 4));
    return add(add(sum, even, v128.and(w, v128.load(byteWords))), odd, i16x8.shr_u(w, 8));
  }
  return add(add(sum, even, v128.and(i16x8.shr_u(v, 4), v128.load(fifteenWords))), odd, i16x8.shr_u(v, 12));
}

/** One pixel by four blocks, whose vectors start at w0 … w3. */
export function fewDot1<T>(
  shift: usize, w0: usize, w1: usize, w2: usize, w3: usize, segment: usize, end: usize, vectors: i32,
): void {
  let c0 = zeros();
  let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (; segment < end; segment += 4) {
    let a = <usize>load<u32>(segment) + shift;
    for (const last = w0 + ((<usize>vectors) << 4); w0 < last; w0 += 16, w1 += 16, w2 += 16, w3 += 16) {
      let v = v128.load(w0);
      c0 = lowOf<T>(c0, v, a);
      c1 = highOf<T>(c1, v, a);
      v = v128.load(w1);
      c2 = lowOf<T>(c2, v, a);
      c3 = highOf<T>(c3, v, a);
      v = v128.load(w2);
      c4 = lowOf<T>(c4, v, a);
      c5 = highOf<T>(c5, v, a);
      v = v128.load(w3);
      c6 = lowOf<T>(c6, v, a);
      c7 = highOf<T>(c7, v, a);
      a += 8;
    }
  }
  v128.store(sums, lowSum<T>(c0, c1));
  v128.store(sums, c1, 16);
  v128.store(sums, lowSum<T>(c2, c3), 32);
  v128.store(sums, c3, 48);
  v128.store(sums, lowSum<T>(c4, c5), 64);
  v128.store(sums, c5, 80);
  v128.store(sums, lowSum<T>(c6, c7), 96);
  v128.store(sums, c7, 112);
}

/** int8 → int16 in the order that is drawn above: `count` values, the last eight filled up with zeros. */
export function widenQuads(to: usize, from: usize, count: i32): void {
  const end = from + <usize>(count & ~7);
  for (; from < end; from += 8, to += 16) v128.store(to, quads(v128.load8x8_s(from)));
  const rest = count & 7;
  const inside = i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>rest));
  if (rest) v128.store(to, quads(v128.and(v128.load8x8_s(from), inside)));
}

// @ts-ignore: decorator
@inline
function quads(v: v128): v128 {
  return v128.shuffle<i16>(v, v, 0, 2, 1, 3, 4, 6, 5, 7);
}
