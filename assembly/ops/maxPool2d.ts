// maxPool2d: out = clamp(max) over the cells inside the input. Input and output have the same scale
// and zero point.

import { Pool } from "../abi";
import { field } from "../memory";
import { storeBytes16 } from "../simd/lanes";
import { checkPool, nextWindow, pixel, rowBytes, startWindows, window, windowColumns, windowRows } from "./poolWindow";

export function checkMaxPool2d(step: usize): i32 {
  return checkPool(step);
}

export function runMaxPool2d(step: usize): void {
  const channels = field(step, Pool.Channels);
  startWindows(step);
  while (nextWindow()) {
    if (ASC_FEATURE_SIMD) vector(step, channels);
    else scalar(step, channels);
  }
}

function vector(step: usize, channels: i32): void {
  // Clamping from below is the maximum with one more value.
  const least = i8x16.splat(<i8>field(step, Pool.Min)),
    most = i8x16.splat(<i8>field(step, Pool.Max));
  const columns = <usize>windowColumns * <usize>channels;
  for (let c = 0; c < channels; c += 16) {
    let greatest = least;
    let row = window + <usize>c;
    for (let y = 0; y < windowRows; y++, row += rowBytes) {
      for (let cell = row; cell != row + columns; cell += <usize>channels) {
        greatest = i8x16.max_s(greatest, v128.load(cell));
      }
    }
    storeBytes16(pixel + <usize>c, i8x16.min_s(greatest, most), channels - c);
  }
}

function scalar(step: usize, channels: i32): void {
  const columns = <usize>windowColumns * <usize>channels;
  for (let c = 0; c < channels; c++) {
    let greatest = field(step, Pool.Min);
    let row = window + <usize>c;
    for (let y = 0; y < windowRows; y++, row += rowBytes) {
      for (let cell = row; cell != row + columns; cell += <usize>channels) {
        greatest = max<i32>(greatest, <i32>load<i8>(cell));
      }
    }
    store<i8>(pixel + <usize>c, <i8>min<i32>(greatest, field(step, Pool.Max)));
  }
}
