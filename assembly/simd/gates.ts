// What the gates of a recurrent layer are made of: a product of one row with the blocks of simd/gemm.ts to int16 in
// Q3.12, the element-wise arithmetic of Q0.15, and the two tables (tools/ops/gateTables.ts draws them).
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

/** Q0.15 · Q0.15: what i16x8.q15mulr_sat_s does. */
// @ts-ignore: decorator
@inline
export function times(a: i32, b: i32): i32 {
  return min<i32>((a * b + 16384) >> 15, 32767);
}

/** rne(x), saturated to int16. */
// @ts-ignore: decorator
@inline
export function nearest16(x: f32): i32 {
  return saturate16(reinterpret<i32>(max<f32>(x, LOWEST) + MAGIC) - MAGIC_BITS);
}

/**
 * out[n] = rne(sum[n] · multiplier[n]), saturated, for `blocks` blocks of eight outputs; with `add` that is added to
 * what is there. `cells`: the row as int16. Returns where the blocks end.
 */
export function gateSums(cells: usize, pairs: i32, block: usize, blocks: i32, out: usize, add: bool): usize {
  const pairBytes = (<usize>pairs) << 2;
  const blockBytes = BLOCK_HEAD + (pairBytes << 2);
  if (ASC_FEATURE_SIMD) {
    const offset = i32x4.splat(MAGIC_BITS);
    const end = cells + pairBytes;
    for (; blocks >= 3; blocks -= 3) {
      const b1 = block + blockBytes,
        b2 = b1 + blockBytes;
      let c0 = v128.load(block),
        c1 = v128.load(block, 16),
        c2 = v128.load(b1),
        c3 = v128.load(b1, 16),
        c4 = v128.load(b2),
        c5 = v128.load(b2, 16);
      let w = block + BLOCK_HEAD;
      for (let a = cells; a < end; a += 4, w += 16) {
        const x = v128.load32_splat(a);
        const w1 = w + blockBytes,
          w2 = w1 + blockBytes;
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w1)));
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w1, 8)));
        c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, v128.load8x8_s(w2)));
        c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, v128.load8x8_s(w2, 8)));
      }
      put(out, c0, c1, block, offset, add);
      put(out + 16, c2, c3, b1, offset, add);
      put(out + 32, c4, c5, b2, offset, add);
      block = b2 + blockBytes;
      out += 48;
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

// @ts-ignore: decorator
@inline
function put(out: usize, low: v128, high: v128, block: usize, offset: v128, add: bool): void {
  const values = i16x8.narrow_i32x4_s(
    round4(low, v128.load(block, 32), offset),
    round4(high, v128.load(block, 48), offset),
  );
  v128.store(out, add ? i16x8.add_sat_s(values, v128.load(out)) : values);
}

/** Looks `count` values in Q3.12 up, in place. */
export function lookGates(at: usize, count: i32, table: usize): void {
  for (const end = at + (<usize>count << 1); at < end; at += 2) {
    store<i16>(at, <i16>gateValue(<i32>load<i16>(at), table));
  }
}

/** x in Q3.12, as int16. */
// @ts-ignore: decorator
@inline
export function gateValue(x: i32, table: usize): i32 {
  const piece = load<i32>(table + ((<usize>((x + 32768) >> 7)) << 2));
  return <i32>(<i16>piece) + (((piece >> 16) * (x & 127) + 64) >> 7);
}
