// The relaxed tile for arm64 and weights without −128: eight pixels by eight outputs, sixteen sums. A weight is made of
// two seven-bit numbers, both of which add to one sum, and each pixel's sum of inputs is taken off at the start:
//
//   p = max(w, 0), n = min(w + 127, 127)         Σ x·w = Σ x·p + Σ x·n − 127·Σ x       two dots; strips.ts has Σ x
//
// Invariant: the same bytes as gemm4; a file whose weights are −128 all the same gets wrong sums and nothing worse.
// Reads up to 48 bytes past the last block, which meet zeros.

import { finish, sums } from "./finish";
import { BLOCK_HEAD, channels, lowBits } from "./gemm";
import { dot, lane0, lane1, lane2, lane3, zipHigh, zipLow } from "./relaxedLanes";
import { pairsInAll } from "./strips";
import { zeros } from "./lanes";

export function symmetric8(strips: usize, block: usize, out: usize): void {
  const most = i8x16.splat(<i8>lowBits), none = i8x16.splat(<i8>(lowBits >> 8));
  const pairs = pairsInAll();
  // strips come in fours of quads, of which the last two may be nothing
  const end = strips + (<usize>((pairs + 3) >> 2) << 6), last = end - 64;
  for (let left = channels; left > 0; left -= 8, out += 8) {
    let a0 = zeros(), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    let e0 = a0, e1 = a0, f0 = a0, f1 = a0, g0 = a0, g1 = a0, h0 = a0, h1 = a0;
    let w = block + BLOCK_HEAD;
    for (let at = strips; at < end; at += 128, w += 128) {
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      let q0 = zipLow(w0, w1), q1 = zipHigh(w0, w1);
      let p0 = i8x16.max_s(q0, none), p1 = i8x16.max_s(q1, none);
      let n0 = i8x16.add_sat_s(q0, most), n1 = i8x16.add_sat_s(q1, most);
      let x = v128.load(at);
      let v = lane0(x);
      a0 = dot(v, p0, a0); a1 = dot(v, p1, a1); a0 = dot(v, n0, a0); a1 = dot(v, n1, a1);
      v = lane1(x);
      b0 = dot(v, p0, b0); b1 = dot(v, p1, b1); b0 = dot(v, n0, b0); b1 = dot(v, n1, b1);
      v = lane2(x);
      c0 = dot(v, p0, c0); c1 = dot(v, p1, c1); c0 = dot(v, n0, c0); c1 = dot(v, n1, c1);
      v = lane3(x);
      d0 = dot(v, p0, d0); d1 = dot(v, p1, d1); d0 = dot(v, n0, d0); d1 = dot(v, n1, d1);
      x = v128.load(at, 16);
      v = lane0(x);
      e0 = dot(v, p0, e0); e1 = dot(v, p1, e1); e0 = dot(v, n0, e0); e1 = dot(v, n1, e1);
      v = lane1(x);
      f0 = dot(v, p0, f0); f1 = dot(v, p1, f1); f0 = dot(v, n0, f0); f1 = dot(v, n1, f1);
      v = lane2(x);
      g0 = dot(v, p0, g0); g1 = dot(v, p1, g1); g0 = dot(v, n0, g0); g1 = dot(v, n1, g1);
      v = lane3(x);
      h0 = dot(v, p0, h0); h1 = dot(v, p1, h1); h0 = dot(v, n0, h0); h1 = dot(v, n1, h1);
      if (at == 0) break; // as in gemmSeven.ts
      w0 = v128.load(w, 32); w1 = v128.load(w, 48);
      q0 = zipLow(w0, w1); q1 = zipHigh(w0, w1);
      p0 = i8x16.max_s(q0, none); p1 = i8x16.max_s(q1, none);
      n0 = i8x16.add_sat_s(q0, most); n1 = i8x16.add_sat_s(q1, most);
      x = v128.load(at, 32);
      v = lane0(x);
      a0 = dot(v, p0, a0); a1 = dot(v, p1, a1); a0 = dot(v, n0, a0); a1 = dot(v, n1, a1);
      v = lane1(x);
      b0 = dot(v, p0, b0); b1 = dot(v, p1, b1); b0 = dot(v, n0, b0); b1 = dot(v, n1, b1);
      v = lane2(x);
      c0 = dot(v, p0, c0); c1 = dot(v, p1, c1); c0 = dot(v, n0, c0); c1 = dot(v, n1, c1);
      v = lane3(x);
      d0 = dot(v, p0, d0); d1 = dot(v, p1, d1); d0 = dot(v, n0, d0); d1 = dot(v, n1, d1);
      x = v128.load(at, 48);
      v = lane0(x);
      e0 = dot(v, p0, e0); e1 = dot(v, p1, e1); e0 = dot(v, n0, e0); e1 = dot(v, n1, e1);
      v = lane1(x);
      f0 = dot(v, p0, f0); f1 = dot(v, p1, f1); f0 = dot(v, n0, f0); f1 = dot(v, n1, f1);
      v = lane2(x);
      g0 = dot(v, p0, g0); g1 = dot(v, p1, g1); g0 = dot(v, n0, g0); g1 = dot(v, n1, g1);
      v = lane3(x);
      h0 = dot(v, p0, h0); h1 = dot(v, p1, h1); h0 = dot(v, n0, h0); h1 = dot(v, n1, h1);
      if (at == last) break;
      w0 = v128.load(w, 64); w1 = v128.load(w, 80);
      q0 = zipLow(w0, w1); q1 = zipHigh(w0, w1);
      p0 = i8x16.max_s(q0, none); p1 = i8x16.max_s(q1, none);
      n0 = i8x16.add_sat_s(q0, most); n1 = i8x16.add_sat_s(q1, most);
      x = v128.load(at, 64);
      v = lane0(x);
      a0 = dot(v, p0, a0); a1 = dot(v, p1, a1); a0 = dot(v, n0, a0); a1 = dot(v, n1, a1);
      v = lane1(x);
      b0 = dot(v, p0, b0); b1 = dot(v, p1, b1); b0 = dot(v, n0, b0); b1 = dot(v, n1, b1);
      v = lane2(x);
      c0 = dot(v, p0, c0); c1 = dot(v, p1, c1); c0 = dot(v, n0, c0); c1 = dot(v, n1, c1);
      v = lane3(x);
      d0 = dot(v, p0, d0); d1 = dot(v, p1, d1); d0 = dot(v, n0, d0); d1 = dot(v, n1, d1);
      x = v128.load(at, 80);
      v = lane0(x);
      e0 = dot(v, p0, e0); e1 = dot(v, p1, e1); e0 = dot(v, n0, e0); e1 = dot(v, n1, e1);
      v = lane1(x);
      f0 = dot(v, p0, f0); f1 = dot(v, p1, f1); f0 = dot(v, n0, f0); f1 = dot(v, n1, f1);
      v = lane2(x);
      g0 = dot(v, p0, g0); g1 = dot(v, p1, g1); g0 = dot(v, n0, g0); g1 = dot(v, n1, g1);
      v = lane3(x);
      h0 = dot(v, p0, h0); h1 = dot(v, p1, h1); h0 = dot(v, n0, h0); h1 = dot(v, n1, h1);
      if (at == 0) break; // as in gemmSeven.ts
      w0 = v128.load(w, 96); w1 = v128.load(w, 112);
      q0 = zipLow(w0, w1); q1 = zipHigh(w0, w1);
      p0 = i8x16.max_s(q0, none); p1 = i8x16.max_s(q1, none);
      n0 = i8x16.add_sat_s(q0, most); n1 = i8x16.add_sat_s(q1, most);
      x = v128.load(at, 96);
      v = lane0(x);
      a0 = dot(v, p0, a0); a1 = dot(v, p1, a1); a0 = dot(v, n0, a0); a1 = dot(v, n1, a1);
      v = lane1(x);
      b0 = dot(v, p0, b0); b1 = dot(v, p1, b1); b0 = dot(v, n0, b0); b1 = dot(v, n1, b1);
      v = lane2(x);
      c0 = dot(v, p0, c0); c1 = dot(v, p1, c1); c0 = dot(v, n0, c0); c1 = dot(v, n1, c1);
      v = lane3(x);
      d0 = dot(v, p0, d0); d1 = dot(v, p1, d1); d0 = dot(v, n0, d0); d1 = dot(v, n1, d1);
      x = v128.load(at, 112);
      v = lane0(x);
      e0 = dot(v, p0, e0); e1 = dot(v, p1, e1); e0 = dot(v, n0, e0); e1 = dot(v, n1, e1);
      v = lane1(x);
      f0 = dot(v, p0, f0); f1 = dot(v, p1, f1); f0 = dot(v, n0, f0); f1 = dot(v, n1, f1);
      v = lane2(x);
      g0 = dot(v, p0, g0); g1 = dot(v, p1, g1); g0 = dot(v, n0, g0); g1 = dot(v, n1, g1);
      v = lane3(x);
      h0 = dot(v, p0, h0); h1 = dot(v, p1, h1); h0 = dot(v, n0, h0); h1 = dot(v, n1, h1);
    }
    v128.store(sums, a0, 0); v128.store(sums, a1, 16);
    v128.store(sums, b0, 32); v128.store(sums, b1, 48);
    v128.store(sums, c0, 64); v128.store(sums, c1, 80);
    v128.store(sums, d0, 96); v128.store(sums, d1, 112);
    v128.store(sums, e0, 128); v128.store(sums, e1, 144);
    v128.store(sums, f0, 160); v128.store(sums, f1, 176);
    v128.store(sums, g0, 192); v128.store(sums, g1, 208);
    v128.store(sums, h0, 224); v128.store(sums, h1, 240);
    finish(sums, 8, block, out, left);
    block += BLOCK_HEAD + ((<usize>pairs) << 4);
  }
}
