// The relaxed tiles for seven-bit weights: one dot for sixteen products, five pixels a tile. 64 (of a codebook: less its
// least value) is added to every weight, so that it is the unsigned number that the dot takes, and as many Σ x are taken
// off every sum of a pixel (strips.ts).
// Invariant: every weight that is multiplied lies in 0 … 127, those of a group's missing second block apart, whose
// sums are not stored.

import { requantize16, requantize8 } from "../numeric/requantize";
import { finish, sums, taken } from "./finish";
import { channels, high, low, offset } from "./gemm";
import { storeBytes, storeFour, zeros } from "./lanes";
import { dot, lane0, lane1, lane2, lane3 } from "./relaxedLanes";
import { sevenStride, stripsEnd } from "./strips";

/** For x86: eight outputs; ten sums hide the latency of a dot. */
export function seven5(strips: usize, block: usize, out: usize): void {
  const lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high), magic = i32x4.splat(offset);
  const stride = <usize>channels;
  const blockBytes = sevenStride;
  const end = stripsEnd(strips);
  let w = end;
  for (let left = channels; left > 0; left -= 8, out += 8) {
    const bias0 = v128.load(block), bias1 = v128.load(block, 16);
    let t = v128.load32_splat(taken);
    let a0 = i32x4.add(t, bias0), a1 = i32x4.add(t, bias1);
    t = v128.load32_splat(taken, 4);
    let b0 = i32x4.add(t, bias0), b1 = i32x4.add(t, bias1);
    t = v128.load32_splat(taken, 8);
    let c0 = i32x4.add(t, bias0), c1 = i32x4.add(t, bias1);
    t = v128.load32_splat(taken, 12);
    let d0 = i32x4.add(t, bias0), d1 = i32x4.add(t, bias1);
    t = v128.load32_splat(taken, 16);
    let e0 = i32x4.add(t, bias0), e1 = i32x4.add(t, bias1);
    for (let at = strips; at < end; at += 64, w += 64) {
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      let x = v128.load(at);
      let v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1);
      v = v128.load(at, 16);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1);
      if (at == 0) break; // never: it keeps the compiler from mixing the quads, whose weights it would have to hold
      w0 = v128.load(w, 32); w1 = v128.load(w, 48);
      x = v128.load(at, 32);
      v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1);
      v = v128.load(at, 48);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1);
    }
    const m = block + 32;
    const ab = requantize16(a0, a1, b0, b1, m, m, magic, lowest, highest);
    const cd = requantize16(c0, c1, d0, d1, m, m, magic, lowest, highest);
    storeFour(out, stride, ab, cd, left);
    storeBytes(out + 4 * stride, requantize8(e0, e1, m, magic, lowest, highest), left);
    block += blockBytes;
  }
}

/** For arm64: sixteen outputs, twenty sums. */
export function seven5Wide(strips: usize, block: usize, out: usize): void {
  const blockBytes = sevenStride;
  const end = stripsEnd(strips);
  let w = end;
  for (let left = channels; left > 0; left -= 16, out += 16) {
    let a0 = zeros(), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
    let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
    let e0 = a0, e1 = a0, e2 = a0, e3 = a0;
    for (let at = strips; at < end; at += 128, w += 256) {
      let w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      let x = v128.load(at);
      let v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1); a2 = dot(v, w2, a2); a3 = dot(v, w3, a3);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1); b2 = dot(v, w2, b2); b3 = dot(v, w3, b3);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1); c2 = dot(v, w2, c2); c3 = dot(v, w3, c3);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1); d2 = dot(v, w2, d2); d3 = dot(v, w3, d3);
      v = v128.load(at, 16);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1); e2 = dot(v, w2, e2); e3 = dot(v, w3, e3);
      if (at == 0) break; // never: it keeps the compiler from mixing the quads, whose weights it would have to hold
      w0 = v128.load(w, 64); w1 = v128.load(w, 80); w2 = v128.load(w, 96); w3 = v128.load(w, 112);
      x = v128.load(at, 32);
      v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1); a2 = dot(v, w2, a2); a3 = dot(v, w3, a3);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1); b2 = dot(v, w2, b2); b3 = dot(v, w3, b3);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1); c2 = dot(v, w2, c2); c3 = dot(v, w3, c3);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1); d2 = dot(v, w2, d2); d3 = dot(v, w3, d3);
      v = v128.load(at, 48);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1); e2 = dot(v, w2, e2); e3 = dot(v, w3, e3);
      if (at == 0) break;
      w0 = v128.load(w, 128); w1 = v128.load(w, 144); w2 = v128.load(w, 160); w3 = v128.load(w, 176);
      x = v128.load(at, 64);
      v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1); a2 = dot(v, w2, a2); a3 = dot(v, w3, a3);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1); b2 = dot(v, w2, b2); b3 = dot(v, w3, b3);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1); c2 = dot(v, w2, c2); c3 = dot(v, w3, c3);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1); d2 = dot(v, w2, d2); d3 = dot(v, w3, d3);
      v = v128.load(at, 80);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1); e2 = dot(v, w2, e2); e3 = dot(v, w3, e3);
      if (at == 0) break;
      w0 = v128.load(w, 192); w1 = v128.load(w, 208); w2 = v128.load(w, 224); w3 = v128.load(w, 240);
      x = v128.load(at, 96);
      v = lane0(x);
      a0 = dot(v, w0, a0); a1 = dot(v, w1, a1); a2 = dot(v, w2, a2); a3 = dot(v, w3, a3);
      v = lane1(x);
      b0 = dot(v, w0, b0); b1 = dot(v, w1, b1); b2 = dot(v, w2, b2); b3 = dot(v, w3, b3);
      v = lane2(x);
      c0 = dot(v, w0, c0); c1 = dot(v, w1, c1); c2 = dot(v, w2, c2); c3 = dot(v, w3, c3);
      v = lane3(x);
      d0 = dot(v, w0, d0); d1 = dot(v, w1, d1); d2 = dot(v, w2, d2); d3 = dot(v, w3, d3);
      v = v128.load(at, 112);
      e0 = dot(v, w0, e0); e1 = dot(v, w1, e1); e2 = dot(v, w2, e2); e3 = dot(v, w3, e3);
    }
    v128.store(sums, a0, 0); v128.store(sums, a1, 16); v128.store(sums, a2, 160); v128.store(sums, a3, 176);
    v128.store(sums, b0, 32); v128.store(sums, b1, 48); v128.store(sums, b2, 192); v128.store(sums, b3, 208);
    v128.store(sums, c0, 64); v128.store(sums, c1, 80); v128.store(sums, c2, 224); v128.store(sums, c3, 240);
    v128.store(sums, d0, 96); v128.store(sums, d1, 112); v128.store(sums, d2, 256); v128.store(sums, d3, 272);
    v128.store(sums, e0, 128); v128.store(sums, e1, 144); v128.store(sums, e2, 288); v128.store(sums, e3, 304);
    finish(sums, 5, block, out, left);
    block += blockBytes;
    if (left > 8) {
      finish(sums + 160, 5, block, out + 8, left - 8);
      block += blockBytes;
    }
  }
}
