// requantize: y = clamp(round((x − zx) · multiplier · 2^(shift − 31)) + zy) between int16 and the other
// integer widths, by TFLite's fixed-point rule; int8 to int8 is a lookup instead.
// Invariant: input and output may be the same bytes only where both have the same width.

import { Requantize, RequantizeKernel, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";
import { multiplyByQuantizedMultiplier } from "../numeric/fixedPoint";

export function checkRequantize(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel < RequantizeKernel.Int16ToInt16 || kernel > RequantizeKernel.Int16ToInt32) return Status.Kernel;
  if (!allWithin(step, Requantize.Shift, Requantize.Shift, -31, 30)) return Status.Shape;
  if (!allWithin(step, Requantize.InZero, Requantize.OutZero, -32768, 32767)) return Status.Shape;
  if (!canRead(step, Step.Input, extent(field(step, Requantize.Count), inputBytes(kernel)))) return Status.Read;
  return canWrite(step, Step.Output, extent(field(step, Requantize.Count), outputBytes(kernel)))
    ? Status.Ok
    : Status.Write;
}

function inputBytes(kernel: i32): i32 {
  return kernel == RequantizeKernel.Int8ToInt16 ? 1 : kernel == RequantizeKernel.Int32ToInt16 ? 4 : 2;
}

function outputBytes(kernel: i32): i32 {
  return kernel == RequantizeKernel.Int16ToInt8 ? 1 : kernel == RequantizeKernel.Int16ToInt32 ? 4 : 2;
}

export function runRequantize(step: usize): void {
  switch (field(step, Step.Kernel)) {
    case RequantizeKernel.Int16ToInt16:
      each<i16, i16>(step);
      break;
    case RequantizeKernel.Int16ToInt8:
      each<i16, i8>(step);
      break;
    case RequantizeKernel.Int8ToInt16:
      each<i8, i16>(step);
      break;
    case RequantizeKernel.Int32ToInt16:
      each<i32, i16>(step);
      break;
    default:
      each<i16, i32>(step);
  }
}

function each<IN, OUT>(step: usize): void {
  const multiplier = field(step, Requantize.Multiplier),
    shift = field(step, Requantize.Shift);
  const inZero = field(step, Requantize.InZero),
    outZero = <i64>field(step, Requantize.OutZero);
  const low = <i64>field(step, Requantize.Min),
    high = <i64>field(step, Requantize.Max);
  let from = address(step, Step.Input),
    to = address(step, Step.Output);
  for (let left = field(step, Requantize.Count); left > 0; left--) {
    const value = <i64>multiplyByQuantizedMultiplier(<i32>load<IN>(from) - inZero, multiplier, shift) + outZero;
    store<OUT>(to, <OUT>min(max(value, low), high));
    from += sizeof<IN>();
    to += sizeof<OUT>();
  }
}
