// Four rows of int16 times columns of int16 to exact int32 sums, which the caller reads: attention's two products.
//
//   a block is eight columns:  pair k, k+1 of rows:  ├ w[k][c0] w[k+1][c0] … w[k][c7] w[k+1][c7] ┤  16 × int16
//   out:                       four rows of 8 · blocks int32, `outBytes` apart
//
// Invariant: as simd/gemm.ts' tile, without bias, multipliers and clamp; rows are padded to whole pairs.

import { zeros } from "./lanes";

export function sums4(x: usize, xBytes: usize, pairs: i32, block: usize, blocks: i32, out: usize, outBytes: usize): void {
  const length = <usize>pairs << 2;
  for (; blocks > 0; blocks--, out += 32) {
    if (ASC_FEATURE_SIMD) {
      let c00 = zeros(),
        c01 = c00,
        c10 = c00,
        c11 = c00,
        c20 = c00,
        c21 = c00,
        c30 = c00,
        c31 = c00;
      let a = x;
      for (const end = x + length; a < end; a += 4, block += 32) {
        const w0 = v128.load(block),
          w1 = v128.load(block, 16);
        const x0 = v128.load32_splat(a);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x0, w0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x0, w1));
        const x1 = v128.load32_splat(a + xBytes);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x1, w0));
        c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x1, w1));
        const x2 = v128.load32_splat(a + 2 * xBytes);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x2, w0));
        c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x2, w1));
        const x3 = v128.load32_splat(a + 3 * xBytes);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x3, w0));
        c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x3, w1));
      }
      v128.store(out, c00);
      v128.store(out, c01, 16);
      v128.store(out + outBytes, c10);
      v128.store(out + outBytes, c11, 16);
      v128.store(out + 2 * outBytes, c20);
      v128.store(out + 2 * outBytes, c21, 16);
      v128.store(out + 3 * outBytes, c30);
      v128.store(out + 3 * outBytes, c31, 16);
    } else {
      for (let row: usize = 0; row < 4; row++) {
        for (let lane: usize = 0; lane < 8; lane++) {
          let sum = 0;
          for (let k: usize = 0; k < length; k += 2) {
            const w = block + ((k & ~3) << 3) + (lane << 2) + (k & 2);
            sum += <i32>load<i16>(x + row * xBytes + k) * <i32>load<i16>(w);
          }
          store<i32>(out + row * outBytes + (lane << 2), sum);
        }
      }
      block += length << 3;
    }
  }
}

/**
 * Packs int8 less `zero` as such blocks: `columns` columns over `depth` values, padded with zeros to whole pairs and
 * blocks. Byte strides: from one value to the next along the depth, and from one column to the next.
 */
export function packSums(to: usize, from: usize, depth: i32, columns: i32, alongDepth: usize, alongColumns: usize, zero: i32, pairs: i32): void {
  for (let c = 0; c < columns; c += 8) {
    let k = 0;
    if (ASC_FEATURE_SIMD) {
      const zeros = i16x8.splat(<i16>zero);
      if (c + 8 <= columns) {
        if (alongColumns == 1) {
          // two rows of eight columns, interleaved
          for (; k + 2 <= depth; k += 2, to += 32) {
            const at = from + <usize>c + <usize>k * alongDepth;
            const a = i16x8.sub(v128.load8x8_s(at), zeros),
              b = i16x8.sub(v128.load8x8_s(at + alongDepth), zeros);
            v128.store(to, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
            v128.store(to, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
          }
        } else {
          // eight values of each of eight columns: four pairs, which go to four places
          for (; k + 8 <= depth; k += 8, to += 128) {
            let at = from + <usize>c * alongColumns + <usize>k;
            for (let lane: usize = 0; lane < 32; lane += 4, at += alongColumns) {
              const v = i16x8.sub(v128.load8x8_s(at), zeros);
              v128.store32_lane(to + lane, v, 0);
              v128.store32_lane(to + lane, v, 1, 32);
              v128.store32_lane(to + lane, v, 2, 64);
              v128.store32_lane(to + lane, v, 3, 96);
            }
          }
        }
      }
    }
    for (; k < 2 * pairs; k += 2, to += 32) {
      for (let lane = 0; lane < 8; lane++) {
        let both: i32 = 0;
        if (c + lane < columns && k < depth) {
          const at = from + <usize>(c + lane) * alongColumns + <usize>k * alongDepth;
          both = (<i32>load<i8>(at) - zero) & 0xffff;
          if (k + 1 < depth) both |= (<i32>load<i8>(at + alongDepth) - zero) << 16;
        }
        store<i32>(to + (<usize>lane << 2), both);
      }
    }
  }
}
