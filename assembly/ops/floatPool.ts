// floatPool: maximum, average or place of the maximum in a window over three spatial axes, channels last.
// Invariant: an average is the sum in the order of the taps divided by the count of cells; a window without any
// cell of the input gives the least float (maximum) or 0.

import { Status, Step } from "../abi";
import { FloatConv, FloatPool, FloatPoolKernel } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";
import { storeBytes16 } from "../simd/lanes";
import { MOST_TAPS, cellOf, cells3, checkWindow3, pixel } from "./floatConv";

export function checkFloatPool(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel < 0 || kernel > FloatPoolKernel.ArgMax) return Status.Kernel;
  if (!checkWindow3(step) || !allWithin(step, FloatPool.EndPad0, FloatPool.EndPad0 + 2, 0, 1 << 24)) return Status.Shape;
  const batch = field(step, FloatConv.Batch), channels = field(step, FloatConv.InC);
  const inputs = cells3(step, FloatConv.In0), outputs = cells3(step, FloatConv.Out0);
  if (cells3(step, FloatConv.Kernel0) > <u64>MOST_TAPS || inputs > <u64>i32.MAX_VALUE || outputs > <u64>i32.MAX_VALUE) return Status.Shape;
  if (!canWrite(step, Step.Output, extent(batch, <i32>outputs, channels, 4))) return Status.Write;
  return canRead(step, Step.Input, extent(batch, <i32>inputs, channels, 4)) ? Status.Ok : Status.Read;
}

export function runFloatPool(step: usize): void {
  const kernel = field(step, Step.Kernel);
  const pixelBytes = <usize>field(step, FloatConv.InC) << 2;
  let out = address(step, Step.Output);
  for (let batch = 0; batch < field(step, FloatConv.Batch); batch++) {
    for (let z = 0; z < field(step, FloatConv.Out0); z++) {
      for (let y = 0; y < field(step, FloatConv.Out0 + 1); y++) {
        for (let x = 0; x < field(step, FloatConv.Out0 + 2); x++, out += pixelBytes) {
          if (kernel == FloatPoolKernel.ArgMax) place(step, batch, z, y, x, out);
          else window(step, batch, z, y, x, out);
        }
      }
    }
  }
}

function window(step: usize, batch: i32, z: i32, y: i32, x: i32, out: usize): void {
  const average = field(step, Step.Kernel) == FloatPoolKernel.Average;
  const channels = field(step, FloatConv.InC);
  fill(out, channels, average ? 0 : -Infinity);
  let cells = 0;
  for (let tz = 0; tz < field(step, FloatConv.Kernel0); tz++) {
    for (let ty = 0; ty < field(step, FloatConv.Kernel0 + 1); ty++) {
      for (let tx = 0; tx < field(step, FloatConv.Kernel0 + 2); tx++) {
        const iz = cellOf(step, 0, z, tz), iy = cellOf(step, 1, y, ty), ix = cellOf(step, 2, x, tx);
        const from = pixel(step, batch, iz, iy, ix);
        if (from) join(out, from, channels, average);
        cells += <i32>(from != 0 || (field(step, FloatPool.CountPad) && padded(step, 0, iz) && padded(step, 1, iy) && padded(step, 2, ix)));
      }
    }
  }
  if (average) {
    const divisor = <f32>max(cells, 1);
    for (let c = 0; c < channels; c++, out += 4) store<f32>(out, load<f32>(out) / divisor);
  }
}

/** Whether a cell is in the input or its declared padding. */
function padded(step: usize, axis: i32, at: i32): bool {
  return at < field(step, FloatConv.In0 + axis) + field(step, FloatPool.EndPad0 + axis);
}

function fill(out: usize, count: i32, value: f32): void {
  for (; count > 0; count--, out += 4) store<f32>(out, value);
}

function join(out: usize, x: usize, count: i32, average: bool): void {
  if (ASC_FEATURE_SIMD) {
    for (; count > 0; count -= 4, out += 16, x += 16) {
      const a = v128.load(out), b = v128.load(x);
      storeBytes16(out, average ? f32x4.add(a, b) : f32x4.max(a, b), count << 2);
    }
  } else {
    for (; count > 0; count--, out += 4, x += 4) {
      const a = load<f32>(out), b = load<f32>(x);
      store<f32>(out, average ? a + b : max(a, b));
    }
  }
}

function place(step: usize, batch: i32, z: i32, y: i32, x: i32, out: usize): void {
  const channels = field(step, FloatConv.InC);
  for (let c = 0; c < channels; c++, out += 4) {
    let best = -Infinity as f32, at = 0;
    for (let tz = 0; tz < field(step, FloatConv.Kernel0); tz++) {
      for (let ty = 0; ty < field(step, FloatConv.Kernel0 + 1); ty++) {
        for (let tx = 0; tx < field(step, FloatConv.Kernel0 + 2); tx++) {
          const iz = cellOf(step, 0, z, tz), iy = cellOf(step, 1, y, ty), ix = cellOf(step, 2, x, tx);
          const from = pixel(step, batch, iz, iy, ix);
          if (from && load<f32>(from + (<usize>c << 2)) > best) {
            best = load<f32>(from + (<usize>c << 2));
            at = (iz * field(step, FloatConv.In0 + 1) + iy) * field(step, FloatConv.In0 + 2) + ix;
          }
        }
      }
    }
    store<i32>(out, at);
  }
}
