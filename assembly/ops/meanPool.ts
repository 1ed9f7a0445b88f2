// meanPool: y[b, c] = clamp(rne(f32(Σ (x[b, i, c] − zx)) · f32(Scale / f32(n))) + zy) over the first n rows, n = Input2[b]
// clamped to 0 … Rows; zy where n is 0.
// Invariant: the sum is exact in int32: Rows ≤ 2^20 rows of at most 255.

import { Status, Step } from "../abi";
import { MeanPool } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32 } from "../memory";
import { requantize } from "../numeric/requantize";
import { MAX_AXIS } from "./conv2d";

export function checkMeanPool(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, MeanPool.Batch, MeanPool.Width, 1, MAX_AXIS)) return Status.Shape;
  if (!allWithin(step, MeanPool.InZero, MeanPool.OutZero, -128, 127)) return Status.Shape;
  const batch = field(step, MeanPool.Batch),
    width = field(step, MeanPool.Width);
  if (!canRead(step, Step.Input, extent(batch, field(step, MeanPool.Rows), width))) return Status.Read;
  if (!canRead(step, Step.Input2, extent(batch, 4))) return Status.Read;
  return canWrite(step, Step.Output, extent(batch, width)) ? Status.Ok : Status.Write;
}

export function runMeanPool(step: usize): void {
  const rows = field(step, MeanPool.Rows),
    width = <usize>field(step, MeanPool.Width),
    zero = field(step, MeanPool.InZero);
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  for (let b: usize = 0; b < <usize>field(step, MeanPool.Batch); b++) {
    const count = max<i32>(0, min<i32>(load<i32>(address(step, Step.Input2) + (b << 2)), rows));
    const scale: f32 = count == 0 ? 0 : fieldF32(step, MeanPool.Scale) / <f32>count;
    for (let c: usize = 0; c < width; c++) {
      let sum = 0;
      for (let i: usize = 0; i < <usize>count; i++) sum += <i32>load<i8>(x + i * width + c) - zero;
      store<i8>(y++, <i8>requantize(sum, scale, -128, 127, field(step, MeanPool.OutZero)));
    }
    x += <usize>rows * width;
  }
}
