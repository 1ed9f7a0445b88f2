// The gates of a recurrent layer: products of one row, or four, with the blocks of simd/gemm.ts to int16 in Q3.12, and
// the two tables (tools/ops/gateTables.ts draws them). cells.ts has what follows.
// Invariant: rows of int16 have room for whole vectors of eight; scalar and vector forms give the same values.

import { LOWEST, MAGIC, MAGIC_BITS, round4 } from "../numeric/requantize";
import { weightAt } from "../numeric/blocks";
import { BLOCK_HEAD } from "./gemm";

/** Bytes of one table. */
export const TABLE_BYTES: usize = 2048;

// @ts-ignore: decorator
@inline
export function saturate16(x: i32): i32 {
  return min<i32>(max<i32>(x, -32768), 32767);
}

/** rne(x), saturated to int16. */
// @ts-ignore: decorator
@inline
export function nearest16(x: f32): i32 {
  return saturate16(reinterpret<i32>(max<f32>(x, LOWEST) + MAGIC) - MAGIC_BITS);
}

/** Blocks of one row of products that are multiplied together. */
const GROUP = 4;

/**
 * Four blocks side by side, their weights as int16: one stream to read. Those past whole groups stay where they are.
 *   pair k of a group:  ├ block 0: 16 × int16 ┼ block 1 ┼ block 2 ┼ block 3 ┤
 */
export function widenGroups(to: usize, block: usize, pairs: i32, blocks: i32): usize {
  const pairBytes = <usize>pairs << 4;
  for (; blocks >= GROUP; blocks -= GROUP) {
    for (let lane: usize = 0; lane < 32 * GROUP; lane += 32) {
      let w = block + BLOCK_HEAD,
        at = to + lane;
      for (const end = w + pairBytes; w < end; w += 16, at += 32 * GROUP) {
        v128.store(at, v128.load8x8_s(w));
        v128.store(at, v128.load8x8_s(w, 8), 16);
      }
      block += BLOCK_HEAD + pairBytes;
    }
    to += pairBytes * 2 * GROUP;
  }
  return to;
}

/**
 * out[n] = rne(sum[n] · multiplier[n]), saturated, for `blocks` blocks of eight outputs; with `add` that is added to
 * what is there. `cells`: the row as int16; `wide`: what `widenGroups` made of the blocks, or 0. Returns where the blocks end.
 */
export function gateSums(cells: usize, pairs: i32, block: usize, blocks: i32, out: usize, add: bool, wide: usize): usize {
  const pairBytes = (<usize>pairs) << 2;
  const blockBytes = BLOCK_HEAD + (pairBytes << 2);
  if (ASC_FEATURE_SIMD) {
    const offset = i32x4.splat(MAGIC_BITS);
    const end = cells + pairBytes;
    for (; blocks >= GROUP; blocks -= GROUP) {
      const b1 = block + blockBytes,
        b2 = b1 + blockBytes,
        b3 = b2 + blockBytes;
      let c0 = v128.load(block),
        c1 = v128.load(block, 16),
        c2 = v128.load(b1),
        c3 = v128.load(b1, 16),
        c4 = v128.load(b2),
        c5 = v128.load(b2, 16),
        c6 = v128.load(b3),
        c7 = v128.load(b3, 16);
      if (wide) {
        for (let a = cells; a < end; a += 4, wide += 32 * GROUP) {
          const x = v128.load32_splat(a);
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load(wide)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load(wide, 16)));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load(wide, 32)));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load(wide, 48)));
          c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, v128.load(wide, 64)));
          c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, v128.load(wide, 80)));
          c6 = i32x4.add(c6, i32x4.dot_i16x8_s(x, v128.load(wide, 96)));
          c7 = i32x4.add(c7, i32x4.dot_i16x8_s(x, v128.load(wide, 112)));
        }
      } else {
        let w = block + BLOCK_HEAD;
        for (let a = cells; a < end; a += 4, w += 16) {
          const x = v128.load32_splat(a);
          const w1 = w + blockBytes,
            w2 = w1 + blockBytes,
            w3 = w2 + blockBytes;
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w1)));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w1, 8)));
          c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, v128.load8x8_s(w2)));
          c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, v128.load8x8_s(w2, 8)));
          c6 = i32x4.add(c6, i32x4.dot_i16x8_s(x, v128.load8x8_s(w3)));
          c7 = i32x4.add(c7, i32x4.dot_i16x8_s(x, v128.load8x8_s(w3, 8)));
        }
      }
      put(out, c0, c1, block, offset, add);
      put(out + 16, c2, c3, b1, offset, add);
      put(out + 32, c4, c5, b2, offset, add);
      put(out + 48, c6, c7, b3, offset, add);
      block = b3 + blockBytes;
      out += 64;
    }
    for (; blocks > 0; blocks--) {
      let c0 = v128.load(block),
        c1 = v128.load(block, 16);
      let w = block + BLOCK_HEAD;
      for (let a = cells; a < end; a += 4, w += 16) {
        const x = v128.load32_splat(a);
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
      }
      put(out, c0, c1, block, offset, add);
      block += blockBytes;
      out += 16;
    }
  } else {
    for (; blocks > 0; blocks--, block += blockBytes) {
      for (let lane = 0; lane < 8; lane++, out += 2) {
        const at = block + (<usize>lane << 2);
        let sum = load<i32>(at);
        for (let k = 0; k < 2 * pairs; k++) {
          sum += <i32>load<i16>(cells + (<usize>k << 1)) * weightAt<f32>(block + BLOCK_HEAD, lane, k);
        }
        const value = nearest16(<f32>sum * load<f32>(at, 32));
        store<i16>(out, <i16>(add ? saturate16(value + <i32>load<i16>(out)) : value));
      }
    }
  }
  return block;
}

/** The same for four rows, `rowBytes` apart, to four rows `outBytes` apart; never adds. */
export function gateTile(cells: usize, rowBytes: usize, pairs: i32, block: usize, blocks: i32, out: usize, outBytes: usize): void {
  const offset = i32x4.splat(MAGIC_BITS);
  const end = cells + (<usize>pairs << 2);
  for (; blocks > 0; blocks--, out += 16) {
    let c00 = v128.load(block),
      c01 = v128.load(block, 16);
    let c10 = c00,
      c11 = c01,
      c20 = c00,
      c21 = c01,
      c30 = c00,
      c31 = c01;
    let w = block + BLOCK_HEAD;
    for (let a0 = cells; a0 < end; a0 += 4, w += 16) {
      const w0 = v128.load8x8_s(w),
        w1 = v128.load8x8_s(w, 8);
      const a1 = a0 + rowBytes,
        a2 = a1 + rowBytes,
        a3 = a2 + rowBytes;
      const x0 = v128.load32_splat(a0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x0, w0));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x0, w1));
      const x1 = v128.load32_splat(a1);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x1, w0));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x1, w1));
      const x2 = v128.load32_splat(a2);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x2, w0));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x2, w1));
      const x3 = v128.load32_splat(a3);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x3, w0));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x3, w1));
    }
    put(out, c00, c01, block, offset, false);
    put(out + outBytes, c10, c11, block, offset, false);
    put(out + 2 * outBytes, c20, c21, block, offset, false);
    put(out + 3 * outBytes, c30, c31, block, offset, false);
    block = w;
  }
}

// @ts-ignore: decorator
@inline
function put(out: usize, low: v128, high: v128, block: usize, offset: v128, add: bool): void {
  const values = i16x8.narrow_i32x4_s(
    round4(low, v128.load(block, 32), offset),
    round4(high, v128.load(block, 48), offset),
  );
  v128.store(out, add ? i16x8.add_sat_s(values, v128.load(out)) : values);
}

/**
 * Looks `count` values in Q3.12 up, in place. A piece times (128, x & 127) is the value and its share of the difference,
 * in Q7: one dot.
 */
export function lookGates(at: usize, count: i32, table: usize): void {
  const end = at + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    const half = i32x4.splat(64),
      middle = i16x8.splat(256),
      whole = i16x8.splat(128),
      part = i16x8.splat(127);
    for (; at < end; at += 16) {
      const x = v128.load(at);
      const places = i16x8.shl(i16x8.add(i16x8.shr_s(x, 7), middle), 2),
        parts = v128.and(x, part);
      let a = v128.load32_zero(table + <usize>i16x8.extract_lane_u(places, 0)),
        b = v128.load32_zero(table + <usize>i16x8.extract_lane_u(places, 4));
      a = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 1), a, 1);
      b = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 5), b, 1);
      a = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 2), a, 2);
      b = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 6), b, 2);
      a = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 3), a, 3);
      b = v128.load32_lane(table + <usize>i16x8.extract_lane_u(places, 7), b, 3);
      a = i32x4.dot_i16x8_s(a, v128.shuffle<i16>(whole, parts, 0, 8, 1, 9, 2, 10, 3, 11));
      b = i32x4.dot_i16x8_s(b, v128.shuffle<i16>(whole, parts, 4, 12, 5, 13, 6, 14, 7, 15));
      v128.store(at, i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(a, half), 7), i32x4.shr_s(i32x4.add(b, half), 7)));
    }
  } else {
    for (; at < end; at += 2) {
      const x = <i32>load<i16>(at);
      const piece = load<i32>(table + ((<usize>((x + 32768) >> 7)) << 2));
      store<i16>(at, <i16>(<i32>(<i16>piece) + (((piece >> 16) * (x & 127) + 64) >> 7)));
    }
  }
}
