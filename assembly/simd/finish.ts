// From the sums that a tile of many left in memory to int8: wide tiles have no registers left for it, and share this.
// Invariant: the bytes of gemm.ts's own end; writes `count` pixels of at most eight outputs and nothing past them.

import { requantize8 } from "../numeric/requantize";
import { channels, high, low, offset } from "./gemm";
import { storeBytes } from "./lanes";

/** Two int32×4 of a pixel behind one another. */
export const sums: usize = memory.data(320, 16);
/** What is added to all sums of a pixel, int32 × 8: what unsigned weights made of them too much (strips.ts), else 0. */
export const taken: usize = memory.data(32, 16);

/** From `count` pixels' sums of a block's outputs, of which the first `left` (at most 8) are stored. */
export function finish(from: usize, count: i32, block: usize, out: usize, left: i32): void {
  const lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high), magic = i32x4.splat(offset);
  const bias0 = v128.load(block), bias1 = v128.load(block, 16);
  for (let t = taken, end = t + ((<usize>count) << 2); t < end; t += 4, from += 32, out += <usize>channels) {
    const x = v128.load32_splat(t);
    const c0 = i32x4.add(i32x4.add(v128.load(from), bias0), x), c1 = i32x4.add(i32x4.add(v128.load(from, 16), bias1), x);
    storeBytes(out, requantize8(c0, c1, block + 32, magic, lowest, highest), left);
  }
}
