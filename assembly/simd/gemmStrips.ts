// A row of pixels by the relaxed tiles that read strips: seven-bit weights everywhere, weights without −128 on arm64.
// Invariant: `tilePixels` or more of them; the last tile starts early and writes some again, with the same bytes.

import { channels } from "./gemm";
import { seven5, seven5Wide } from "./gemmSeven";
import { symmetric8 } from "./gemmSymmetric";
import { narrow } from "./machine";
import { packStrip, sevenAdded } from "./strips";

/** Pixels of a tile. */
// @ts-ignore: decorator
@inline
export function tilePixels(seven: bool): i32 {
  return seven ? 5 : 8;
}

/** `count` pixels, `step` bytes apart from the segments; outputs `channels` bytes apart from `out`. */
export function pixelsByStrips(count: i32, step: usize, strips: usize, block: usize, out: usize, seven: bool): void {
  const size = tilePixels(seven), factor = seven ? sevenAdded : 127;
  for (let p = 0; p < count; p += size) {
    const first = <usize>(p + size > count ? count - size : p);
    const to = out + first * <usize>channels;
    packStrip(strips, first * step, step, 0, factor);
    packStrip(strips + 16, (first + 4) * step, seven ? 0 : step, 16, factor);
    if (!seven) symmetric8(strips, block, to);
    else if (narrow) seven5Wide(strips, block, to);
    else seven5(strips, block, to);
  }
}
