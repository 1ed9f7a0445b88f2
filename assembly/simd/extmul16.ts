// Sums of int16 products for arm64, for the kernels whose data is int16 pairs: depthwise and Winograd.
// extmul adds each product to a sum of its own (smlal, four products an instruction), where dot_i16x8 adds
// the two of a pair first (smull, smull2, addp, add: two an instruction). The pairs' halves meet at the end.
//
//   data:      x0 y0 x1 y1 x2 y2 x3 y3   × the weights in the same order
//   low half:  │ Σ x0 │ Σ y0 │ Σ x1 │ Σ y1 │    high half:  │ Σ x2 │ Σ y2 │ Σ x3 │ Σ y3 │    joined:  │ 0 │ 1 │ 2 │ 3 │
//
// Invariant: int32 additions wrap, so any order of them gives dot_i16x8's sums bit for bit.

import { zeros } from "./lanes";

// @ts-ignore: decorator
@inline
function addLow(sums: v128, x: v128, w: v128): v128 {
  return i32x4.add(sums, i32x4.extmul_low_i16x8_s(x, w));
}

// @ts-ignore: decorator
@inline
function addHigh(sums: v128, x: v128, w: v128): v128 {
  return i32x4.add(sums, i32x4.extmul_high_i16x8_s(x, w));
}

// @ts-ignore: decorator
@inline
function join(lows: v128, highs: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(lows, highs, 0, 2, 4, 6), v128.shuffle<i32>(lows, highs, 1, 3, 5, 7));
}

/** Two vectors of channels 0 … 7 of one pixel. */
// @ts-ignore: decorator
@inline
function storeJoined(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, join(a, b));
  v128.store(to, join(c, d), 16);
}

/** Pair 0 … 3 of eight int16, four times. */
// @ts-ignore: decorator
@inline
function pair0(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
function pair1(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 1, 1, 1, 1);
}

// @ts-ignore: decorator
@inline
function pair2(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 2, 2, 2);
}

// @ts-ignore: decorator
@inline
function pair3(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 3, 3, 3, 3);
}

/** Winograd's product: [tiles, inC] · [inC, 8] → [tiles, 8] int32; tiles a multiple of four, inC of eight. */
export function multiplyNarrow(a: usize, u: usize, out: usize, inC: i32, tiles: i32): void {
  const row = (<usize>inC) << 1;
  for (let t = 0; t < tiles; t += 4) {
    let a0 = zeros(), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    let b = a + row, c = b + row, d = c + row;
    const end = b;
    for (let w = u; a < end; w += 128) {
      const xa = v128.load(a), xb = v128.load(b), xc = v128.load(c), xd = v128.load(d);
      let p = v128.load(w), q = v128.load(w, 16), x = pair0(xa);
      a0 = addLow(a0, x, p); a1 = addHigh(a1, x, p); a2 = addLow(a2, x, q); a3 = addHigh(a3, x, q);
      x = pair0(xb);
      b0 = addLow(b0, x, p); b1 = addHigh(b1, x, p); b2 = addLow(b2, x, q); b3 = addHigh(b3, x, q);
      x = pair0(xc);
      c0 = addLow(c0, x, p); c1 = addHigh(c1, x, p); c2 = addLow(c2, x, q); c3 = addHigh(c3, x, q);
      x = pair0(xd);
      d0 = addLow(d0, x, p); d1 = addHigh(d1, x, p); d2 = addLow(d2, x, q); d3 = addHigh(d3, x, q);
      p = v128.load(w, 32); q = v128.load(w, 48); x = pair1(xa);
      a0 = addLow(a0, x, p); a1 = addHigh(a1, x, p); a2 = addLow(a2, x, q); a3 = addHigh(a3, x, q);
      x = pair1(xb);
      b0 = addLow(b0, x, p); b1 = addHigh(b1, x, p); b2 = addLow(b2, x, q); b3 = addHigh(b3, x, q);
      x = pair1(xc);
      c0 = addLow(c0, x, p); c1 = addHigh(c1, x, p); c2 = addLow(c2, x, q); c3 = addHigh(c3, x, q);
      x = pair1(xd);
      d0 = addLow(d0, x, p); d1 = addHigh(d1, x, p); d2 = addLow(d2, x, q); d3 = addHigh(d3, x, q);
      p = v128.load(w, 64); q = v128.load(w, 80); x = pair2(xa);
      a0 = addLow(a0, x, p); a1 = addHigh(a1, x, p); a2 = addLow(a2, x, q); a3 = addHigh(a3, x, q);
      x = pair2(xb);
      b0 = addLow(b0, x, p); b1 = addHigh(b1, x, p); b2 = addLow(b2, x, q); b3 = addHigh(b3, x, q);
      x = pair2(xc);
      c0 = addLow(c0, x, p); c1 = addHigh(c1, x, p); c2 = addLow(c2, x, q); c3 = addHigh(c3, x, q);
      x = pair2(xd);
      d0 = addLow(d0, x, p); d1 = addHigh(d1, x, p); d2 = addLow(d2, x, q); d3 = addHigh(d3, x, q);
      p = v128.load(w, 96); q = v128.load(w, 112); x = pair3(xa);
      a0 = addLow(a0, x, p); a1 = addHigh(a1, x, p); a2 = addLow(a2, x, q); a3 = addHigh(a3, x, q);
      x = pair3(xb);
      b0 = addLow(b0, x, p); b1 = addHigh(b1, x, p); b2 = addLow(b2, x, q); b3 = addHigh(b3, x, q);
      x = pair3(xc);
      c0 = addLow(c0, x, p); c1 = addHigh(c1, x, p); c2 = addLow(c2, x, q); c3 = addHigh(c3, x, q);
      x = pair3(xd);
      d0 = addLow(d0, x, p); d1 = addHigh(d1, x, p); d2 = addLow(d2, x, q); d3 = addHigh(d3, x, q);
      a += 16; b += 16; c += 16; d += 16;
    }
    storeJoined(out, a0, a1, a2, a3);
    storeJoined(out + 32, b0, b1, b2, b3);
    storeJoined(out + 64, c0, c1, c2, c3);
    storeJoined(out + 96, d0, d1, d2, d3);
    out += 128;
    a = d;
  }
}

/** Where `depthwiseNarrow` leaves its sums: four pixels of eight channels. */
export const pixelSums: usize = memory.data(128);

/**
 * Depthwise sums of four pixels, `pixel` bytes apart from `plane`: `planes` planes of the ring that ends at
 * `ringEnd`, `taps` taps in each, `column` bytes apart.
 */
export function depthwiseNarrow(
  plane: usize, planes: i32, planeBytes: usize, ringEnd: usize, ringBytes: usize,
  w: usize, taps: i32, pixel: usize, column: usize,
): void {
  let a0 = zeros(), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
  if (taps == 3 && pixel == column) {
    for (; planes > 0; planes--) {
      // Neighbours share two columns of three: six are loaded instead of twelve.
      const at0 = plane + pixel, at1 = at0 + pixel, at2 = at1 + pixel, at3 = at2 + pixel, at4 = at3 + pixel;
      const p0 = v128.load(w), p1 = v128.load(w, 32), p2 = v128.load(w, 64);
      const q0 = v128.load(w, 16), q1 = v128.load(w, 48), q2 = v128.load(w, 80);
      w += 96;
      let x = v128.load(plane), y = v128.load(plane, 16);
      a0 = addLow(a0, x, p0); a1 = addHigh(a1, x, p0); a2 = addLow(a2, y, q0); a3 = addHigh(a3, y, q0);
      x = v128.load(at0); y = v128.load(at0, 16);
      a0 = addLow(a0, x, p1); a1 = addHigh(a1, x, p1); a2 = addLow(a2, y, q1); a3 = addHigh(a3, y, q1);
      b0 = addLow(b0, x, p0); b1 = addHigh(b1, x, p0); b2 = addLow(b2, y, q0); b3 = addHigh(b3, y, q0);
      x = v128.load(at1); y = v128.load(at1, 16);
      a0 = addLow(a0, x, p2); a1 = addHigh(a1, x, p2); a2 = addLow(a2, y, q2); a3 = addHigh(a3, y, q2);
      b0 = addLow(b0, x, p1); b1 = addHigh(b1, x, p1); b2 = addLow(b2, y, q1); b3 = addHigh(b3, y, q1);
      c0 = addLow(c0, x, p0); c1 = addHigh(c1, x, p0); c2 = addLow(c2, y, q0); c3 = addHigh(c3, y, q0);
      x = v128.load(at2); y = v128.load(at2, 16);
      b0 = addLow(b0, x, p2); b1 = addHigh(b1, x, p2); b2 = addLow(b2, y, q2); b3 = addHigh(b3, y, q2);
      c0 = addLow(c0, x, p1); c1 = addHigh(c1, x, p1); c2 = addLow(c2, y, q1); c3 = addHigh(c3, y, q1);
      d0 = addLow(d0, x, p0); d1 = addHigh(d1, x, p0); d2 = addLow(d2, y, q0); d3 = addHigh(d3, y, q0);
      x = v128.load(at3); y = v128.load(at3, 16);
      c0 = addLow(c0, x, p2); c1 = addHigh(c1, x, p2); c2 = addLow(c2, y, q2); c3 = addHigh(c3, y, q2);
      d0 = addLow(d0, x, p1); d1 = addHigh(d1, x, p1); d2 = addLow(d2, y, q1); d3 = addHigh(d3, y, q1);
      x = v128.load(at4); y = v128.load(at4, 16);
      d0 = addLow(d0, x, p2); d1 = addHigh(d1, x, p2); d2 = addLow(d2, y, q2); d3 = addHigh(d3, y, q2);
      plane += planeBytes;
      if (plane >= ringEnd) plane -= ringBytes;
    }
  }
  for (; planes > 0; planes--) {
    let a = plane, b = a + pixel, c = b + pixel, d = c + pixel;
    for (let t = taps; t > 0; t--) {
      const p = v128.load(w), q = v128.load(w, 16);
      let x = v128.load(a), y = v128.load(a, 16);
      a0 = addLow(a0, x, p); a1 = addHigh(a1, x, p); a2 = addLow(a2, y, q); a3 = addHigh(a3, y, q);
      x = v128.load(b); y = v128.load(b, 16);
      b0 = addLow(b0, x, p); b1 = addHigh(b1, x, p); b2 = addLow(b2, y, q); b3 = addHigh(b3, y, q);
      x = v128.load(c); y = v128.load(c, 16);
      c0 = addLow(c0, x, p); c1 = addHigh(c1, x, p); c2 = addLow(c2, y, q); c3 = addHigh(c3, y, q);
      x = v128.load(d); y = v128.load(d, 16);
      d0 = addLow(d0, x, p); d1 = addHigh(d1, x, p); d2 = addLow(d2, y, q); d3 = addHigh(d3, y, q);
      w += 32;
      a += column; b += column; c += column; d += column;
    }
    plane += planeBytes;
    if (plane >= ringEnd) plane -= ringBytes;
  }
  storeJoined(pixelSums, a0, a1, a2, a3);
  storeJoined(pixelSums + 32, b0, b1, b2, b3);
  storeJoined(pixelSums + 64, c0, c1, c2, c3);
  storeJoined(pixelSums + 96, d0, d1, d2, d3);
}
