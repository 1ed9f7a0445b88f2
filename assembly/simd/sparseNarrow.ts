// sparse.ts's product for arm64, by the couples of gemmNarrow.ts: a group is one couple, its four inputs are read as
// int8 where they lie, and both products of a lane are summed in int16 before they are widened.
// Invariant: exact, because no two weights that a couple adds are both −128: the packer keeps such a layer dense.

import { scale8 } from "../numeric/sparseBlocks";
import { channels, offset } from "./gemm";
import { highCouple, lowCouple, pair0, pair1 } from "./gemmNarrow";
import { storeBytes, storeFour } from "./lanes";
import { clamp } from "./sparse";

// A load that fills no other lanes takes its address as a sum on arm64; one that splats has to have it added first.

/** Eight outputs, of which `left` are stored, of four and more pixels; their groups lie from `weights` to `end`. */
export function fourPixelsNarrow(
  a: usize, step: usize, pixels: i32, head: usize, weights: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  const stride = <usize>channels;
  while (pixels > 0) {
    if (pixels < 4) {
      // The last tile starts early and writes some pixels again, with the same bytes.
      const back = <usize>(4 - pixels);
      a -= back * step;
      out -= back * stride;
    }
    const b = a + step, c = b + step, d = c + step;
    let a0 = v128.load(head), a1 = v128.load(head, 16);
    let b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
    for (let w = weights, q = place; w < end; w += 32, q += 2) {
      const at = (<usize>load<u16>(q)) << 2;
      const v = v128.load(w), u = v128.load(w, 16);
      let y = v128.load32_zero(a + at), x01 = pair0(y), x23 = pair1(y);
      a0 = lowCouple(a0, x01, v, x23, u); a1 = highCouple(a1, x01, v, x23, u);
      y = v128.load32_zero(b + at); x01 = pair0(y); x23 = pair1(y);
      b0 = lowCouple(b0, x01, v, x23, u); b1 = highCouple(b1, x01, v, x23, u);
      y = v128.load32_zero(c + at); x01 = pair0(y); x23 = pair1(y);
      c0 = lowCouple(c0, x01, v, x23, u); c1 = highCouple(c1, x01, v, x23, u);
      y = v128.load32_zero(d + at); x01 = pair0(y); x23 = pair1(y);
      d0 = lowCouple(d0, x01, v, x23, u); d1 = highCouple(d1, x01, v, x23, u);
    }
    const m0 = v128.load(head, 32), m1 = v128.load(head, 48), magic = i32x4.splat(offset);
    const p01 = clamp(scale8(a0, a1, m0, m1, magic), scale8(b0, b1, m0, m1, magic));
    const p23 = clamp(scale8(c0, c1, m0, m1, magic), scale8(d0, d1, m0, m1, magic));
    storeFour(out, stride, p01, p23, left);
    pixels -= 4;
    a += 4 * step;
    out += 4 * stride;
  }
}

/** The same of one pixel. */
export function onePixelNarrow(
  a: usize, head: usize, w: usize, end: usize, place: usize, out: usize, left: i32,
): void {
  let a0 = v128.load(head), a1 = v128.load(head, 16);
  for (; w < end; w += 32, place += 2) {
    const y = v128.load32_zero(a + ((<usize>load<u16>(place)) << 2)), x01 = pair0(y), x23 = pair1(y);
    const v = v128.load(w), u = v128.load(w, 16);
    a0 = lowCouple(a0, x01, v, x23, u); a1 = highCouple(a1, x01, v, x23, u);
  }
  const r = scale8(a0, a1, v128.load(head, 32), v128.load(head, 48), i32x4.splat(offset));
  storeBytes(out, clamp(r, r), left);
}
