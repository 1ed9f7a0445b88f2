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
  const kernel = field(step, Step.Kernel);
  const multiplier = field(step, Requantize.Multiplier),
    shift = field(step, Requantize.Shift);
  const inZero = field(step, Requantize.InZero),
    outZero = <i64>field(step, Requantize.OutZero);
  const low = <i64>field(step, Requantize.Min),
    high = <i64>field(step, Requantize.Max);
  const fromStep = <usize>inputBytes(kernel),
    toStep = <usize>outputBytes(kernel);
  let from = address(step, Step.Input),
    to = address(step, Step.Output);
  for (let left = field(step, Requantize.Count); left > 0; left--, from += fromStep, to += toStep) {
    const x = fromStep == 2 ? <i32>load<i16>(from) : fromStep == 1 ? <i32>load<i8>(from) : load<i32>(from);
    const y = <i64>multiplyByQuantizedMultiplier(x - inZero, multiplier, shift) + outZero;
    const clamped = <i32>min(max(y, low), high);
    if (toStep == 2) store<i16>(to, <i16>clamped);
    else if (toStep == 1) store<i8>(to, <i8>clamped);
    else store<i32>(to, clamped);
  }
}
