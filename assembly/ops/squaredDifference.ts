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

// @ts-ignore: decorator
@inline
function scaled(value: i32, step: usize, word: i32): i32 {
  return roundingShift(highMultiply(value, field(step, word)), field(step, word + 1));
}

export function runSquaredDifference(step: usize): void {
  const count = field(step, Binary.Dim3);
  const varyA = <usize>field(step, Binary.AStride3), varyB = <usize>field(step, Binary.BStride3);
  const zeroA = field(step, Field.AZero), zeroB = field(step, Field.BZero);
  const zero = field(step, Binary.OutZero), least = field(step, Binary.Min), most = field(step, Binary.Max);
  startRows(step);
  while (nextRow()) {
    let a = rowA, b = rowB, out = rowOut;
    for (let i = 0; i < count; i++, a += varyA, b += varyB) {
      const difference =
        scaled((<i32>load<i8>(a) - zeroA) << LEFT_SHIFT, step, Field.AMultiplier) -
        scaled((<i32>load<i8>(b) - zeroB) << LEFT_SHIFT, step, Field.BMultiplier);
      const value = scaled(difference * difference, step, Field.OutMultiplier) + zero;
      store<i8>(out++, <i8>min<i32>(max<i32>(value, least), most));
    }
  }
}
