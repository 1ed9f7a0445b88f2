// What the tiles of gemmSeven.ts and gemmSymmetric.ts read instead of rows: the inputs of a tile's pixels, four side by side,
// and, for seven-bit weights, the weights of a whole step as unsigned numbers. Segments follow each other without a gap.
//
//   quad q:      ├ pixel 0: x[4q]…x[4q+3] ┼ pixel 1 ┼ pixel 2 ┼ pixel 3 ┤ the same of pixels 4 … 7, or of pixel 4 four times ┤   32 bytes
//   `taken`:     (finish.ts) −factor · Σ x of each pixel, int32 × 8: what the tiles' unsigned weights add too much
//   weights, x86: eight outputs:    quad q: ├ w[4q]…w[4q+3] + 64 of output 0 ┼ … 7 ┤                      32 bytes
//   weights, arm: sixteen outputs:  quad q: the same of outputs 0 … 15                                     64 bytes
//
// Invariant: inputs past the last pair are zero up to a multiple of four quads, so that tiles may read on in the
// weights; an odd cell at a segment's end is whatever lies there, counted in the sum and met by a weight of zero.

import { taken } from "./finish";
import { BLOCK_HEAD, channels, segmentBytes, segmentCount, segments } from "./gemm";
import { narrow } from "./machine";

/** Bytes from the head of a seven-bit step's block to the next one's. */
export let sevenStride: usize = 0;
/** What its weights were made larger by. */
export let sevenAdded: i32 = 0;

export function setSeven(stride: usize, added: i32): void {
  sevenStride = stride;
  sevenAdded = added;
}

/** Pairs of inputs of one output, over all segments. */
// @ts-ignore: decorator
@inline
export function pairsInAll(): i32 {
  return <i32>(segmentBytes >> 2) * segmentCount;
}

/** Where the strips at `strips` end, and seven-bit weights begin. */
// @ts-ignore: decorator
@inline
export function stripsEnd(strips: usize): usize {
  return strips + (<usize>((pairsInAll() + 7) & ~7) << 4);
}

/** Scratch for the strips of `pairs` pairs, and with `seven` for the weights of `outC` outputs. */
export function stripsBytes(pairs: u64, outC: i32, seven: bool): u64 {
  const quads = ((pairs + 7) & ~7) >> 1;
  return quads * (seven ? 32 + ((<u64>(outC + 15) >> 4) << 6) : 32);
}

/** Lays four pixels out at `to`, `step` bytes apart from `shift`; `place` 0 or 16 in `taken`. */
export function packStrip(to: usize, shift: usize, step: usize, place: usize, factor: i32): void {
  const bytes = segmentBytes >> 1, last = stripsEnd(to);
  const ones = i8x16.splat(1);
  let sum = i32x4.splat(0);
  for (let s = segments, end = s + ((<usize>segmentCount) << 2); s < end; s += 4) {
    let a = <usize>load<u32>(s) + shift;
    const stop = a + bytes;
    let b = a + step, c = b + step, d = c + step;
    for (; a + 16 <= stop; a += 16, b += 16, c += 16, d += 16, to += 128) {
      const xa = v128.load(a), xb = v128.load(b), xc = v128.load(c), xd = v128.load(d);
      const ab = v128.shuffle<i32>(xa, xb, 0, 4, 1, 5), cd = v128.shuffle<i32>(xc, xd, 0, 4, 1, 5);
      const ef = v128.shuffle<i32>(xa, xb, 2, 6, 3, 7), gh = v128.shuffle<i32>(xc, xd, 2, 6, 3, 7);
      const q0 = v128.shuffle<i64>(ab, cd, 0, 2), q1 = v128.shuffle<i64>(ab, cd, 1, 3);
      const q2 = v128.shuffle<i64>(ef, gh, 0, 2), q3 = v128.shuffle<i64>(ef, gh, 1, 3);
      v128.store(to, q0);
      v128.store(to, q1, 32);
      v128.store(to, q2, 64);
      v128.store(to, q3, 96);
      sum = sumOf(q0, ones, sumOf(q1, ones, sumOf(q2, ones, sumOf(q3, ones, sum))));
    }
    for (; a + 4 <= stop; a += 4, b += 4, c += 4, d += 4, to += 32) {
      const q = v128.load32_lane(d, v128.load32_lane(c, v128.load32_lane(b, v128.load32_zero(a), 1), 2), 3);
      v128.store(to, q);
      sum = sumOf(q, ones, sum);
    }
    if (a < stop) {
      const zero = i32x4.splat(0);
      const q = v128.load16_lane(d, v128.load16_lane(c, v128.load16_lane(b, v128.load16_lane(a, zero, 0), 2), 4), 6);
      v128.store(to, q);
      sum = sumOf(q, ones, sum);
      to += 32;
    }
  }
  for (; to < last; to += 32) v128.store(to, i32x4.splat(0));
  v128.store(taken + place, i32x4.mul(sum, i32x4.splat(-factor)));
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128, ones: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, ones, sum);
}

/** The blocks' weights, −64 … 63, plus 64, in the order drawn above. */
export function packSeven(to: usize, block: usize): void {
  const pairs = pairsInAll();
  const rowBytes: usize = narrow ? 64 : 32;
  const groupBytes = (<usize>((pairs + 7) & ~7) >> 1) * rowBytes;
  const sixtyFour = i8x16.splat(64), none = i8x16.splat(0);
  setSeven(BLOCK_HEAD + ((<usize>pairs) << 4), 64);
  for (let c = 0; c < channels; c += 8) {
    const odd = narrow && (c & 8) != 0;
    let at = odd ? to + 32 : to;
    const end = at + groupBytes;
    let w = block + BLOCK_HEAD;
    for (let left = pairs; at < end; left -= 2, at += rowBytes, w += 32) {
      const p = left > 0 ? v128.load(w) : none, q = left > 1 ? v128.load(w, 16) : none;
      v128.store(at, i8x16.add(v128.shuffle<i16>(p, q, 0, 8, 1, 9, 2, 10, 3, 11), sixtyFour));
      v128.store(at, i8x16.add(v128.shuffle<i16>(p, q, 4, 12, 5, 13, 6, 14, 7, 15), sixtyFour), 16);
    }
    block += sevenStride;
    if (!narrow || odd) to += groupBytes;
  }
}
