// resizeNearest: out[b, y, x] = in[b, rows[y], columns[x]], whole pixels of Channels bytes.
// params: OutH source rows, then OutW source columns, int32 each; the packer knows the rounding rules.
// Invariant: every index was checked at load and lies where nothing can write.

import { Resize, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams } from "../memory";
import { copyRun } from "./copy";
import { MAX_AXIS } from "./conv2d";

export function checkResizeNearest(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const status = checkResize(step);
  if (status != Status.Ok) return status;
  const outH = field(step, Resize.OutH),
    outW = field(step, Resize.OutW);
  if (!hasParams(step, (<u64>outH + <u64>outW) * 4)) return Status.Params;
  const rows = address(step, Step.Params);
  if (!allBelow(rows, outH, field(step, Resize.InH))) return Status.Params;
  return allBelow(rows + ((<usize>outH) << 2), outW, field(step, Resize.InW)) ? Status.Ok : Status.Params;
}

/** Dimensions, input and output: also for resizeBilinear. */
export function checkResize(step: usize): i32 {
  if (!allWithin(step, Resize.Batch, Resize.OutW, 1, MAX_AXIS)) return Status.Shape;
  const batch = field(step, Resize.Batch),
    channels = field(step, Resize.Channels);
  const input = extent(batch, field(step, Resize.InH), field(step, Resize.InW), channels);
  if (!canRead(step, Step.Input, input)) return Status.Read;
  const output = extent(batch, field(step, Resize.OutH), field(step, Resize.OutW), channels);
  return canWrite(step, Step.Output, output) ? Status.Ok : Status.Write;
}

function allBelow(at: usize, count: i32, size: i32): bool {
  for (let i = 0; i < count; i++) if (load<u32>(at + ((<usize>i) << 2)) >= <u32>size) return false;
  return true;
}

export function runResizeNearest(step: usize): void {
  const channels = <usize>field(step, Resize.Channels);
  const outH = field(step, Resize.OutH),
    outW = field(step, Resize.OutW);
  const inRow = <usize>field(step, Resize.InW) * channels,
    outRow = <usize>outW * channels;
  const rows = address(step, Step.Params),
    columns = rows + ((<usize>outH) << 2);
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = field(step, Resize.Batch); b > 0; b--) {
    let last = -1;
    for (let y = 0; y < outH; y++) {
      const row = load<i32>(rows + ((<usize>y) << 2));
      // Enlarging repeats rows: the row above is the same bytes.
      if (row == last) memory.copy(output, output - outRow, outRow);
      else pixels(output, input + <usize>row * inRow, columns, outW, channels);
      last = row;
      output += outRow;
    }
    input += <usize>field(step, Resize.InH) * inRow;
  }
}

function pixels(to: usize, row: usize, columns: usize, count: i32, channels: usize): void {
  const end = columns + ((<usize>count) << 2);
  for (; columns < end; columns += 4, to += channels) {
    copyRun(to, row + <usize>load<i32>(columns) * channels, channels);
  }
}
