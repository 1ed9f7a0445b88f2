// normalize: layerNorm and rmsNorm over rows of Width. With x = q − zx, all sums exact:
//
//   layer:  a = W·x − Σx,  N = W·Σx² − (Σx)²        rms:  a = W·x,  N = W·Σx²
//   y = clamp(rne(f32(f32(f32(f32(a) · r) · gain[c]) + offset[c])) + zy),  r = f32(1 / f32(√f32(f32(N) + Epsilon)))
//
// Invariant: W ≤ 2^14 keeps a in int32 and N below 2^53; may run in place.

import { Status, Step } from "../abi";
import { Normalize, NormalizeKernel } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams } from "../memory";
import { MAGIC, MAGIC_BITS } from "../numeric/requantize";

const MAX_WIDTH = 16384;
/** Past these the result is clamped anyway, and rounding by MAGIC would not hold. */
const FAR: f32 = 65536.0;

export function checkNormalize(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel != NormalizeKernel.Layer && kernel != NormalizeKernel.Rms) return Status.Kernel;
  if (!allWithin(step, Normalize.Width, Normalize.Width, 1, MAX_WIDTH) || field(step, Normalize.Rows) < 1) return Status.Shape;
  if (!allWithin(step, Normalize.InZero, Normalize.OutZero, -128, 127)) return Status.Shape;
  const width = field(step, Normalize.Width),
    bytes = extent(field(step, Normalize.Rows), width);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  if (!canWrite(step, Step.Output, bytes)) return Status.Write;
  return hasParams(step, <u64>width * 8) ? Status.Ok : Status.Params;
}

export function runNormalize(step: usize): void {
  const width = field(step, Normalize.Width),
    inZero = field(step, Normalize.InZero),
    outZero = field(step, Normalize.OutZero);
  const gain = address(step, Step.Params),
    epsilon = fieldF32(step, Normalize.Epsilon),
    layer = field(step, Step.Kernel) == NormalizeKernel.Layer;
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  for (let row = field(step, Normalize.Rows); row > 0; row--) {
    let sum = 0,
      squares: i64 = 0;
    for (let c: usize = 0; c < <usize>width; c++) {
      const value = <i32>load<i8>(x + c) - inZero;
      sum += value;
      squares += <i64>(value * value);
    }
    if (!layer) sum = 0;
    const spread = squares * <i64>width - <i64>sum * <i64>sum;
    const r: f32 = <f32>1.0 / sqrt<f32>(<f32>spread + epsilon);
    for (let c: usize = 0; c < <usize>width; c++) {
      const a = width * (<i32>load<i8>(x + c) - inZero) - sum;
      const at = gain + (c << 2);
      const real = <f32>a * r * load<f32>(at) + load<f32>(at + (<usize>width << 2));
      const bits = reinterpret<i32>(max<f32>(min<f32>(real, FAR), -FAR) + MAGIC);
      store<i8>(y + c, <i8>min<i32>(max<i32>(bits - MAGIC_BITS + outZero, -128), 127));
    }
    x += <usize>width;
    y += <usize>width;
  }
}
