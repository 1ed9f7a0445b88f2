// floatSoftmax: eˣ / Σ eˣ over the last axis, or its logarithm, in float32; exponentials and sums in float64.
// Invariant: the maximum is taken off first; a row of −∞ alone (all of it masked) gives zeros. May run in place.

import { Status, Step } from "../abi";
import { FloatSoftmax } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";
import { exp, log } from "../numeric/floatMath";

export function checkFloatSoftmax(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, FloatSoftmax.Rows, FloatSoftmax.Depth, 1, 1 << 28)) return Status.Shape;
  const bytes = extent(field(step, FloatSoftmax.Rows), field(step, FloatSoftmax.Depth), 4);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  return canWrite(step, Step.Output, bytes) ? Status.Ok : Status.Write;
}

export function runFloatSoftmax(step: usize): void {
  const bytes = <usize>field(step, FloatSoftmax.Depth) << 2;
  const inLog = field(step, FloatSoftmax.Log) != 0;
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  for (let row = field(step, FloatSoftmax.Rows); row > 0; row--, x += bytes, y += bytes) {
    let most: f32 = -Infinity;
    let sum: f64 = 0;
    for (let i: usize = 0; i < bytes; i += 4) most = max(most, load<f32>(x + i));
    if (most == -Infinity) most = 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const r = <f64>load<f32>(x + i) - <f64>most,
        e = exp(r);
      sum += e;
      store<f32>(y + i, <f32>e);
      // two stores: of `inLog ? r : e` wazero 1.12 on x86 makes r, whatever inLog is
      if (inLog) store<f32>(y + i, <f32>r);
    }
    const logSum = inLog ? log(sum) : 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const e = <f64>load<f32>(y + i);
      store<f32>(y + i, <f32>(inLog ? e - logSum : e / sum));
    }
  }
}
