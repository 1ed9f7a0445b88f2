// floatNorm: (x − mean) / √(variance + ε) · gain + shift over the last axis, in float32; sums in float64.
// With Rms the mean is taken as 0. Invariant: may run in place.

import { Status, Step } from "../abi";
import { FloatNorm } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams } from "../memory";

export function checkFloatNorm(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, FloatNorm.Rows, FloatNorm.Depth, 1, 1 << 28)) return Status.Shape;
  const bytes = extent(field(step, FloatNorm.Rows), field(step, FloatNorm.Depth), 4);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  if (!canWrite(step, Step.Output, bytes)) return Status.Write;
  return hasParams(step, extent(field(step, FloatNorm.Depth), 8)) ? Status.Ok : Status.Params;
}

export function runFloatNorm(step: usize): void {
  const depth = field(step, FloatNorm.Depth),
    bytes = <usize>depth << 2;
  const epsilon = <f64>fieldF32(step, FloatNorm.Epsilon),
    gain = address(step, Step.Params);
  const rms = field(step, FloatNorm.Rms) != 0;
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  for (let row = field(step, FloatNorm.Rows); row > 0; row--, x += bytes, y += bytes) {
    let mean: f64 = 0,
      sum: f64 = 0;
    if (!rms) {
      for (let i: usize = 0; i < bytes; i += 4) mean += <f64>load<f32>(x + i);
      mean /= <f64>depth;
    }
    for (let i: usize = 0; i < bytes; i += 4) {
      const d = <f64>load<f32>(x + i) - mean;
      sum += d * d;
    }
    const inverse = 1 / Math.sqrt(sum / <f64>depth + epsilon);
    for (let i: usize = 0; i < bytes; i += 4) {
      const n = <f32>((<f64>load<f32>(x + i) - mean) * inverse);
      store<f32>(y + i, n * load<f32>(gain + i) + load<f32>(gain + bytes + i));
    }
  }
}
