// What the relaxed tiles are made of. Invariant: the second operand of `dot` lies in 0 … 127, so that the standard
// fixes the sum.

// @ts-ignore: decorator
@inline
export function dot(x: v128, w: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
}

/** Weights of four inputs and four outputs: the first or second half of two pairs. */
// @ts-ignore: decorator
@inline
export function zipLow(p0: v128, p1: v128): v128 {
  return v128.shuffle<i16>(p0, p1, 0, 8, 1, 9, 2, 10, 3, 11);
}
// @ts-ignore: decorator
@inline
export function zipHigh(p0: v128, p1: v128): v128 {
  return v128.shuffle<i16>(p0, p1, 4, 12, 5, 13, 6, 14, 7, 15);
}
/** The sign bits of `w`, whose low seven bits are `low7`, as bytes of 0 or 1. */
// @ts-ignore: decorator
@inline
export function sign(w: v128, low7: v128): v128 {
  return i16x8.shr_u(v128.xor(w, low7), 7);
}
// @ts-ignore: decorator
@inline
export function join(sum: v128, signs: v128): v128 {
  return i32x4.sub(sum, i32x4.shl(signs, 7));
}

/** One of four lanes, four times. */
// @ts-ignore: decorator
@inline
export function lane0(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 0, 0, 0, 0);
}
// @ts-ignore: decorator
@inline
export function lane1(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 1, 1, 1, 1);
}
// @ts-ignore: decorator
@inline
export function lane2(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 2, 2, 2);
}
// @ts-ignore: decorator
@inline
export function lane3(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 3, 3, 3, 3);
}
