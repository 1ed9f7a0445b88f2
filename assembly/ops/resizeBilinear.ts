// resizeBilinear: int8 pixels between four neighbours, weights in 1024ths, as TFLite's integer rule:
// out = round((Σ pixel · wy · wx) / 2^20), halves away from zero.
//
//   params: a triple of int32 per output row, then per output column  ├ lower ┼ upper ┼ weight of upper ┤
//
// Invariant: lower and upper index the input and 0 ≤ weight ≤ 1024, checked at load, so that every
// sum stays below 2^28.

import { Resize, Status, Step } from "../abi";
import { address, field, hasParams } from "../memory";
import { storeBytes } from "../simd/lanes";
import { checkResize } from "./resizeNearest";

const TRIPLE: usize = 12;
const ONE: i32 = 1024;
const HALF: i32 = 1 << 19;

export function checkResizeBilinear(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const status = checkResize(step);
  if (status != Status.Ok) return status;
  const outH = field(step, Resize.OutH),
    outW = field(step, Resize.OutW);
  if (!hasParams(step, (<u64>outH + <u64>outW) * TRIPLE)) return Status.Params;
  const rows = address(step, Step.Params);
  if (!allSound(rows, outH, field(step, Resize.InH))) return Status.Params;
  return allSound(rows + <usize>outH * TRIPLE, outW, field(step, Resize.InW)) ? Status.Ok : Status.Params;
}

function allSound(at: usize, count: i32, size: i32): bool {
  for (const end = at + <usize>count * TRIPLE; at < end; at += TRIPLE) {
    if (load<u32>(at) >= <u32>size || load<u32>(at, 4) >= <u32>size || load<u32>(at, 8) > <u32>ONE) return false;
  }
  return true;
}

export function runResizeBilinear(step: usize): void {
  const channels = field(step, Resize.Channels);
  const outW = field(step, Resize.OutW);
  const inRow = <usize>(field(step, Resize.InW) * channels);
  const rows = address(step, Step.Params),
    columns = rows + <usize>field(step, Resize.OutH) * TRIPLE,
    end = columns + <usize>outW * TRIPLE;
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = field(step, Resize.Batch); b > 0; b--) {
    for (let row = rows; row < columns; row += TRIPLE) {
      const above = input + <usize>load<i32>(row) * inRow,
        below = input + <usize>load<i32>(row, 4) * inRow,
        down = load<i32>(row, 8);
      for (let column = columns; column < end; column += TRIPLE) {
        const left = <usize>(load<i32>(column) * channels),
          right = <usize>(load<i32>(column, 4) * channels),
          across = load<i32>(column, 8);
        pixel(output, above + left, below + left, above + right, below + right, channels, down, across);
        output += <usize>channels;
      }
    }
    input += <usize>field(step, Resize.InH) * inRow;
  }
}

/** `channels` values between the pixels nw, sw, ne and se. */
function pixel(to: usize, nw: usize, sw: usize, ne: usize, se: usize, channels: i32, down: i32, across: i32): void {
  if (ASC_FEATURE_SIMD) {
    // Each lane a pair: (1024 − down, down).
    const vertical = i32x4.splat((ONE - down) | (down << 16));
    const west = i32x4.splat(ONE - across),
      east = i32x4.splat(across);
    for (let left = channels; left > 0; left -= 8) {
      const a = v128.load8x8_s(nw),
        b = v128.load8x8_s(sw),
        c = v128.load8x8_s(ne),
        d = v128.load8x8_s(se);
      const lo = weigh(low(a, b), low(c, d), vertical, west, east),
        hi = weigh(high(a, b), high(c, d), vertical, west, east);
      const words = i16x8.narrow_i32x4_s(lo, hi);
      storeBytes(to, i8x16.narrow_i16x8_s(words, words), left);
      nw += 8;
      sw += 8;
      ne += 8;
      se += 8;
      to += 8;
    }
  } else {
    for (let c: usize = 0; c < <usize>channels; c++) {
      const west = <i32>load<i8>(nw + c) * (ONE - down) + <i32>load<i8>(sw + c) * down,
        east = <i32>load<i8>(ne + c) * (ONE - down) + <i32>load<i8>(se + c) * down;
      const sum = west * (ONE - across) + east * across;
      store<i8>(to + c, <i8>((sum + (sum > 0 ? HALF : -HALF)) / (1 << 20)));
    }
  }
}

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Four values from north-south pairs west and east of them, rounded by magnitude so that halves go away from zero. */
// @ts-ignore: decorator
@inline
function weigh(westPairs: v128, eastPairs: v128, vertical: v128, west: v128, east: v128): v128 {
  const sum = i32x4.add(
    i32x4.mul(i32x4.dot_i16x8_s(westPairs, vertical), west),
    i32x4.mul(i32x4.dot_i16x8_s(eastPairs, vertical), east),
  );
  const sign = i32x4.shr_s(sum, 31);
  const size = i32x4.shr_u(i32x4.add(i32x4.abs(sum), i32x4.splat(HALF)), 20);
  return i32x4.sub(v128.xor(size, sign), sign);
}
