// averagePool2d: out = clamp(round(Σ (x + offset) / cells) − offset) over the cells inside the input, ties
// away from zero, as TFLite. Input and output have the same scale and zero point.
// Invariant: |Σ| + cells / 2 < 2^24, so the float32 quotient truncates to the exact integer one.

import { Pool, Status } from "../abi";
import { field } from "../memory";
import { columnSums, SUMS } from "../simd/columnSums";
import { storeBytes16 } from "../simd/lanes";
import { checkPool, nextWindow, pixel, rowBytes, startWindows, window, windowColumns, windowRows } from "./poolWindow";

export function checkAveragePool2d(step: usize): i32 {
  const offset = field(step, Pool.Offset);
  return offset == 0 || offset == 128 ? checkPool(step) : Status.Shape;
}

export function runAveragePool2d(step: usize): void {
  const channels = field(step, Pool.Channels);
  startWindows(step);
  while (nextWindow()) {
    if (ASC_FEATURE_SIMD) vector(step, channels);
    else scalar(step, channels);
  }
}

function vector(step: usize, channels: i32): void {
  const least = i8x16.splat(<i8>field(step, Pool.Min)),
    most = i8x16.splat(<i8>field(step, Pool.Max));
  const cells = windowRows * windowColumns;
  const offset = field(step, Pool.Offset);
  for (let c = 0; c < channels; c += 16) {
    columnSums(window + <usize>c, windowRows, windowColumns, <usize>channels, rowBytes);
    const bytes = i8x16.narrow_i16x8_s(
      i16x8.narrow_i32x4_s(average(SUMS, cells, offset), average(SUMS + 16, cells, offset)),
      i16x8.narrow_i32x4_s(average(SUMS + 32, cells, offset), average(SUMS + 48, cells, offset)),
    );
    storeBytes16(pixel + <usize>c, i8x16.min_s(i8x16.max_s(bytes, least), most), channels - c);
  }
}

function average(sums: usize, cells: i32, offset: i32): v128 {
  const sum = i32x4.add(v128.load(sums), i32x4.splat(offset * cells));
  const half = i32x4.splat(cells >> 1);
  const away = v128.bitselect(half, i32x4.neg(half), i32x4.gt_s(sum, i32x4.splat(0)));
  const quotient = f32x4.div(f32x4.convert_i32x4_s(i32x4.add(sum, away)), f32x4.splat(<f32>cells));
  return i32x4.sub(i32x4.trunc_sat_f32x4_s(quotient), i32x4.splat(offset));
}

function scalar(step: usize, channels: i32): void {
  const cells = windowRows * windowColumns;
  const offset = field(step, Pool.Offset);
  for (let c = 0; c < channels; c++) {
    let sum = offset * cells;
    for (let y = 0; y < windowRows; y++) {
      let cell = window + <usize>y * rowBytes + <usize>c;
      for (let x = 0; x < windowColumns; x++, cell += <usize>channels) sum += <i32>load<i8>(cell);
    }
    const half = cells >> 1;
    const average = (sum > 0 ? sum + half : sum - half) / cells - offset;
    store<i8>(pixel + <usize>c, <i8>min<i32>(max<i32>(average, field(step, Pool.Min)), field(step, Pool.Max)));
  }
}
