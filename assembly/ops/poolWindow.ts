// What averagePool2d and maxPool2d share: the check of their shape and the walk over their windows,
// each cut to the cells that lie inside the input.
// Invariant: after `checkPool`, every window that `nextWindow` gives has at least one cell and lies
// inside the input.

import { Pool, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";

/** Most cells of a window: an average of so many divides exactly in float32. */
export const MAX_CELLS: i32 = 1 << 16;

/** The present window: its first cell, its size in cells, and the output's pixel. */
export let window: usize = 0;
export let windowRows: i32 = 0;
export let windowColumns: i32 = 0;
export let pixel: usize = 0;

/** Bytes from one input row to the next. */
export let rowBytes: usize = 0;

let plan: usize = 0;
let batch: i32 = 0;
let outY: i32 = 0;
let outX: i32 = 0;

export function checkPool(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Pool.Batch, Pool.StrideW, 1, i32.MAX_VALUE)) return Status.Shape;
  if (!allWithin(step, Pool.Min, Pool.Max, -128, 127)) return Status.Shape;
  if (field(step, Pool.Min) > field(step, Pool.Max)) return Status.Shape;
  if (extent(field(step, Pool.KernelH), field(step, Pool.KernelW)) > <u64>MAX_CELLS) return Status.Shape;
  if (!meets(step, Pool.InH, Pool.OutH, Pool.KernelH, Pool.StrideH, Pool.PadTop)) return Status.Shape;
  if (!meets(step, Pool.InW, Pool.OutW, Pool.KernelW, Pool.StrideW, Pool.PadLeft)) return Status.Shape;
  const batch = field(step, Pool.Batch),
    channels = field(step, Pool.Channels);
  if (!canRead(step, Step.Input, extent(batch, field(step, Pool.InH), field(step, Pool.InW), channels))) {
    return Status.Read;
  }
  const outBytes = extent(batch, field(step, Pool.OutH), field(step, Pool.OutW), channels);
  return canWrite(step, Step.Output, outBytes) ? Status.Ok : Status.Write;
}

/** Along one axis, the first and the last window (so every one) have a cell inside the input. */
function meets(step: usize, inWord: i32, outWord: i32, kernelWord: i32, strideWord: i32, padWord: i32): bool {
  const pad = <i64>field(step, padWord);
  const last = <i64>(field(step, outWord) - 1) * <i64>field(step, strideWord) - pad;
  return pad >= 0 && pad < <i64>field(step, kernelWord) && last < <i64>field(step, inWord);
}

/** Stands before the first window: call `nextWindow` to step onto it. */
export function startWindows(step: usize): void {
  plan = step;
  batch = 0;
  outY = 0;
  outX = -1;
  rowBytes = <usize>field(step, Pool.InW) * <usize>field(step, Pool.Channels);
  pixel = address(step, Step.Output) - <usize>field(step, Pool.Channels);
}

/** Steps onto the next window; false when there is none. */
export function nextWindow(): bool {
  if (++outX == field(plan, Pool.OutW)) {
    outX = 0;
    if (++outY == field(plan, Pool.OutH)) {
      outY = 0;
      if (++batch == field(plan, Pool.Batch)) return false;
    }
  }
  const inH = field(plan, Pool.InH),
    channels = <usize>field(plan, Pool.Channels);
  const top = outY * field(plan, Pool.StrideH) - field(plan, Pool.PadTop);
  const left = outX * field(plan, Pool.StrideW) - field(plan, Pool.PadLeft);
  const y = max<i32>(top, 0),
    x = max<i32>(left, 0);
  windowRows = min<i32>(top + field(plan, Pool.KernelH), inH) - y;
  windowColumns = min<i32>(left + field(plan, Pool.KernelW), field(plan, Pool.InW)) - x;
  window = address(plan, Step.Input) + <usize>(batch * inH + y) * rowBytes + <usize>x * channels;
  pixel += channels;
  return true;
}
