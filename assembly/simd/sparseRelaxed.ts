// sparse.ts's product by the relaxed dot (gemmRelaxed.ts says how an int8 weight becomes two operands of it): a
// group's four inputs meet four outputs in one vector, so a group takes two turns of five pixels by four outputs.
// Invariant: the same bytes as the dense kernels with the zeros written out; cells are int8 where they lie.

import { groupBytes, scale8 } from "../numeric/sparseBlocks";
import { channels, lowBits, offset } from "./gemm";
import { dot, join, sign, zipHigh, zipLow } from "./relaxedLanes";
import { storeBytes, storeTail, zeros } from "./lanes";
import { clamp } from "./sparse";

/** Eight outputs, of which `left` are stored, of all pixels, `step` bytes apart from `x`; their groups lie from `w` to `end`. */
export function sparseRelaxed(
  x: usize, step: usize, pixels: i32, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  if (groupBytes == 16) {
    if (pixels >= 3) nibbles(x, step, pixels, head, w, end, place, out, left);
    else for (; pixels > 0; pixels--, x += step, out += <usize>channels) oneNibbles(x, head, w, end, place, out, left);
  } else if (pixels >= 5) {
    fivePixels(x, step, pixels, head, w, end, place, out, left);
    if (left > 4) fivePixels(x, step, pixels, head + 16, w + 8, end, place, out + 4, left - 4);
  } else {
    for (; pixels > 0; pixels--, x += step, out += <usize>channels) onePixel(x, head, w, end, place, out, left);
  }
}

/** Four outputs, of five and more pixels. */
function fivePixels(
  a0: usize, step: usize, pixels: i32, head: usize, weights: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  const mask = i8x16.splat(<i8>lowBits);
  const stride = <usize>channels;
  while (pixels > 0) {
    if (pixels < 5) {
      // The last tile starts early and writes some pixels again, with the same bytes.
      const back = <usize>(5 - pixels);
      a0 -= back * step;
      out -= back * stride;
    }
    const a1 = a0 + step, a2 = a1 + step, a3 = a2 + step, a4 = a3 + step;
    let c0 = v128.load(head);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0;
    let s0 = zeros();
    let s1 = s0, s2 = s0, s3 = s0, s4 = s0;
    for (let w = weights, q = place; w < end; w += 32, q += 2) {
      const at = (<usize>load<u16>(q)) << 2;
      const v = zipLow(v128.load64_zero(w), v128.load64_zero(w, 16));
      const u = v128.and(v, mask), t = sign(v, u);
      let y = v128.load32_splat(a0 + at);
      c0 = dot(y, u, c0);
      s0 = dot(y, t, s0);
      y = v128.load32_splat(a1 + at);
      c1 = dot(y, u, c1);
      s1 = dot(y, t, s1);
      y = v128.load32_splat(a2 + at);
      c2 = dot(y, u, c2);
      s2 = dot(y, t, s2);
      y = v128.load32_splat(a3 + at);
      c3 = dot(y, u, c3);
      s3 = dot(y, t, s3);
      y = v128.load32_splat(a4 + at);
      c4 = dot(y, u, c4);
      s4 = dot(y, t, s4);
    }
    // Only now: the loop needs every register.
    const m = v128.load(head, 32), magic = i32x4.splat(offset);
    const r = clamp(
      scale8(join(c0, s0), join(c1, s1), m, m, magic),
      scale8(join(c2, s2), join(c3, s3), m, m, magic),
    );
    const j4 = scale8(join(c4, s4), c4, m, m, magic);
    const r4 = clamp(j4, j4);
    let o = out;
    if (left >= 4) {
      v128.store32_lane(o, r, 0);
      o += stride;
      v128.store32_lane(o, r, 1);
      o += stride;
      v128.store32_lane(o, r, 2);
      o += stride;
      v128.store32_lane(o, r, 3);
      o += stride;
      v128.store32_lane(o, r4, 0);
    } else {
      storeTail(o, v128.extract_lane<u32>(r, 0), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(r, 1), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(r, 2), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(r, 3), left);
      o += stride;
      storeTail(o, v128.extract_lane<u32>(r4, 0), left);
    }
    pixels -= 5;
    a0 += 5 * step;
    out += 5 * stride;
  }
}

/** One pixel: two groups a turn in sums of their own, to hide the latency of a dot. */
function onePixel(x: usize, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32): void {
  const mask = i8x16.splat(<i8>lowBits);
  let c0 = v128.load(head), c1 = v128.load(head, 16);
  let c2 = zeros();
  let c3 = c2, s0 = c2, s1 = c2, s2 = c2, s3 = c2;
  while (w < end) {
    let v = v128.load32_splat(x + ((<usize>load<u16>(place)) << 2)), u = v128.and(v, mask), t = sign(v, u);
    let p0 = v128.load(w), p1 = v128.load(w, 16), q0 = zipLow(p0, p1), q1 = zipHigh(p0, p1);
    c0 = dot(q0, u, c0);
    s0 = dot(q0, t, s0);
    c1 = dot(q1, u, c1);
    s1 = dot(q1, t, s1);
    w += 32;
    if (w >= end) break;
    v = v128.load32_splat(x + ((<usize>load<u16>(place, 2)) << 2)); u = v128.and(v, mask); t = sign(v, u);
    p0 = v128.load(w); p1 = v128.load(w, 16); q0 = zipLow(p0, p1); q1 = zipHigh(p0, p1);
    c2 = dot(q0, u, c2);
    s2 = dot(q0, t, s2);
    c3 = dot(q1, u, c3);
    s3 = dot(q1, t, s3);
    w += 32;
    place += 4;
  }
  const a = join(i32x4.add(c0, c2), i32x4.add(s0, s2)), b = join(i32x4.add(c1, c3), i32x4.add(s1, s3));
  const p = scale8(a, b, v128.load(head, 32), v128.load(head, 48), i32x4.splat(offset));
  storeBytes(out, clamp(p, p), left);
}

/**
 * Weights of four bits, three pixels by eight outputs. A nibble holds its weight plus 8, which makes it the dot's second
 * operand as it is; Σ x·w = Σ x·(w + 8) − Σ x·8, and the last sum serves all eight outputs: three dots where int8 takes four.
 */
function nibbles(
  x: usize, step: usize, pixels: i32, head: usize, weights: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  const mask = i8x16.splat(<i8>(lowBits >> 3)), eights = i8x16.splat(<i8>(lowBits >> 3) - 7);
  const stride = <usize>channels, third = step + step;
  while (pixels > 0) {
    if (pixels < 3) {
      // The last tile starts early and writes some pixels again, with the same bytes.
      const back = <usize>(3 - pixels);
      x -= back * step;
      out -= back * stride;
    }
    let a0 = v128.load(head), a1 = v128.load(head, 16);
    let b0 = a0, b1 = a1, c0 = a0, c1 = a1;
    let as = zeros();
    let bs = as, cs = as;
    for (let w = weights, q = place; w < end; w += 16, q += 2) {
      const p = x + ((<usize>load<u16>(q)) << 2);
      const v = v128.load(w), u = v128.and(v, mask), t = i16x8.shr_u(v128.xor(v, u), 4);
      let y = v128.load32_splat(p);
      a0 = dot(y, u, a0);
      a1 = dot(y, t, a1);
      as = dot(y, eights, as);
      y = v128.load32_splat(p + step);
      b0 = dot(y, u, b0);
      b1 = dot(y, t, b1);
      bs = dot(y, eights, bs);
      y = v128.load32_splat(p + third);
      c0 = dot(y, u, c0);
      c1 = dot(y, t, c1);
      cs = dot(y, eights, cs);
    }
    const m0 = v128.load(head, 32), m1 = v128.load(head, 48), magic = i32x4.splat(offset);
    const r = clamp(
      scale8(i32x4.sub(a0, as), i32x4.sub(a1, as), m0, m1, magic),
      scale8(i32x4.sub(b0, bs), i32x4.sub(b1, bs), m0, m1, magic),
    );
    const r2 = scale8(i32x4.sub(c0, cs), i32x4.sub(c1, cs), m0, m1, magic);
    storeBytes(out, r, left);
    storeBytes(out + stride, v128.shuffle<i64>(r, r, 1, 1), left);
    storeBytes(out + 2 * stride, clamp(r2, r2), left);
    pixels -= 3;
    x += 3 * step;
    out += 3 * stride;
  }
}

/** The same of one pixel: two groups a turn in sums of their own. */
function oneNibbles(x: usize, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32): void {
  const mask = i8x16.splat(<i8>(lowBits >> 3)), eights = i8x16.splat(<i8>(lowBits >> 3) - 7);
  let a0 = v128.load(head), a1 = v128.load(head, 16);
  let b0 = zeros();
  let b1 = b0, as = b0, bs = b0;
  while (w < end) {
    let y = v128.load32_splat(x + ((<usize>load<u16>(place)) << 2));
    let v = v128.load(w), u = v128.and(v, mask);
    a0 = dot(y, u, a0);
    a1 = dot(y, i16x8.shr_u(v128.xor(v, u), 4), a1);
    as = dot(y, eights, as);
    w += 16;
    if (w >= end) break;
    y = v128.load32_splat(x + ((<usize>load<u16>(place, 2)) << 2));
    v = v128.load(w); u = v128.and(v, mask);
    b0 = dot(y, u, b0);
    b1 = dot(y, i16x8.shr_u(v128.xor(v, u), 4), b1);
    bs = dot(y, eights, bs);
    w += 16;
    place += 4;
  }
  const sum = i32x4.add(as, bs), c0 = i32x4.sub(i32x4.add(a0, b0), sum), c1 = i32x4.sub(i32x4.add(a1, b1), sum);
  const p = scale8(c0, c1, v128.load(head, 32), v128.load(head, 48), i32x4.splat(offset));
  storeBytes(out, clamp(p, p), left);
}
