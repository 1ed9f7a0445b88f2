// squaredDifference: out = clamp(scale(d · d) + zero) with d = scaleA((a − zeroA) · 2^7) − scaleB((b − zeroB) · 2^7),
// each scale a Q31 multiplier and a right shift (numeric/fixedPoint.ts).
// Invariant: with multipliers of at most one half, as the packer makes them, d · d stays in int32.

import { Binary, SquaredDifferenceField as Field, Status, Step } from "../abi";
import { allWithin, field } from "../memory";
import { highMultiply, roundingShift } from "../numeric/fixedPoint";
import { checkBinary, nextRow, rowA, rowB, rowOut, startRows } from "./binary";

/** Bits that a difference of inputs is shifted left, for precision. */
const LEFT_SHIFT = 7;

export function checkSquaredDifference(step: usize): i32 {
  const status = checkBinary(step);
  if (status != Status.Ok) return status;
  if (!allWithin(step, Field.AZero, Field.BZero, -128, 127)) return Status.Shape;
  if (!isScale(step, Field.AMultiplier) || !isScale(step, Field.BMultiplier)) return Status.Shape;
  return isScale(step, Field.OutMultiplier) ? Status.Ok : Status.Shape;
}

/** A multiplier and the right shift in the next word. */
function isScale(step: usize, word: i32): bool {
  return field(step, word) >= 0 && allWithin(step, word + 1, word + 1, 0, 31);
}

export function runSquaredDifference(step: usize): void {
  const count = field(step, Binary.Dim3);
  const varyA = <usize>field(step, Binary.AStride3),
    varyB = <usize>field(step, Binary.BStride3);
  const zeroA = field(step, Field.AZero),
    zeroB = field(step, Field.BZero);
  const scaleA = field(step, Field.AMultiplier),
    shiftA = field(step, Field.AShift);
  const scaleB = field(step, Field.BMultiplier),
    shiftB = field(step, Field.BShift);
  const scale = field(step, Field.OutMultiplier),
    shift = field(step, Field.OutShift);
  const zero = field(step, Binary.OutZero),
    least = field(step, Binary.Min),
    most = field(step, Binary.Max);
  startRows(step);
  while (nextRow()) {
    let a = rowA,
      b = rowB,
      out = rowOut;
    let x = 0,
      y = 0;
    for (let i = 0; i < count; i++, a += varyA, b += varyB) {
      // What stands still in a row is scaled once.
      if (varyA || i == 0) x = scaled((<i32>load<i8>(a) - zeroA) << LEFT_SHIFT, scaleA, shiftA);
      if (varyB || i == 0) y = scaled((<i32>load<i8>(b) - zeroB) << LEFT_SHIFT, scaleB, shiftB);
      const difference = x - y;
      const value = scaled(difference * difference, scale, shift) + zero;
      store<i8>(out++, <i8>min<i32>(max<i32>(value, least), most));
    }
  }
}

// @ts-ignore: decorator
@inline
function scaled(value: i32, multiplier: i32, shift: i32): i32 {
  return roundingShift(highMultiply(value, multiplier), shift);
}
