// add, sub: out = clamp(((bias + multiplierA · a + multiplierB · b) >> shift) + zero), with the zero
// points of a and b and half a unit folded into the bias, and sub's sign into multiplierB.
// Invariant: |multiplier| ≤ 2^21 and shift ≤ 30, so the sums stay in int32; may run in place of a
// when both inputs have the output's shape.

import { AddField, Binary, Status, Step } from "../abi";
import { field } from "../memory";
import { storeBytes, storeBytes16 } from "../simd/lanes";
import { checkBinary, nextRow, rowA, rowB, rowOut, startRows } from "./binary";

/** The constants of a step: set once, read by every row. */
let multiplierA: i32 = 0;
let multiplierB: i32 = 0;
let shift: i32 = 0;
let zero: i32 = 0;
let least: i32 = 0;
let most: i32 = 0;

export function checkAdd(step: usize): i32 {
  const status = checkBinary(step);
  if (status != Status.Ok) return status;
  const shift = field(step, AddField.Shift);
  return shift >= 1 && shift <= 30 ? Status.Ok : Status.Shape;
}

export function runAdd(step: usize): void {
  multiplierA = field(step, AddField.AMultiplier);
  multiplierB = field(step, AddField.BMultiplier);
  shift = field(step, AddField.Shift);
  zero = field(step, Binary.OutZero);
  least = field(step, Binary.Min);
  most = field(step, Binary.Max);
  const bias = field(step, AddField.Bias);
  const count = field(step, Binary.Dim3);
  const bothVary = (field(step, Binary.AStride3) & field(step, Binary.BStride3)) != 0;
  const aVaries = field(step, Binary.AStride3) != 0;
  startRows(step);
  while (nextRow()) {
    // The value that stands still in a row is part of its bias.
    if (bothVary) twoInputs(rowA, rowB, rowOut, count, bias);
    else if (aVaries) oneInput(rowA, multiplierA, rowOut, count, bias + multiplierB * <i32>load<i8>(rowB));
    else oneInput(rowB, multiplierB, rowOut, count, bias + multiplierA * <i32>load<i8>(rowA));
  }
}

// @ts-ignore: decorator
@inline
function finish(sum: i32): i8 {
  return <i8>min<i32>(max<i32>((sum >> shift) + zero, least), most);
}

/** Eight sums, shifted, with the zero point: int16 that saturate only past every clamp. */
// @ts-ignore: decorator
@inline
function words(low: v128, high: v128, right: i32, zeros: v128): v128 {
  return i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.shr_s(low, right), i32x4.shr_s(high, right)), zeros);
}

// @ts-ignore: decorator
@inline
function lowSums(x: v128, y: v128, start: v128, ma: v128, mb: v128): v128 {
  const sums = i32x4.add(start, i32x4.mul(i32x4.extend_low_i16x8_s(x), ma));
  return i32x4.add(sums, i32x4.mul(i32x4.extend_low_i16x8_s(y), mb));
}

// @ts-ignore: decorator
@inline
function highSums(x: v128, y: v128, start: v128, ma: v128, mb: v128): v128 {
  const sums = i32x4.add(start, i32x4.mul(i32x4.extend_high_i16x8_s(x), ma));
  return i32x4.add(sums, i32x4.mul(i32x4.extend_high_i16x8_s(y), mb));
}

function twoInputs(a: usize, b: usize, out: usize, count: i32, bias: i32): void {
  if (ASC_FEATURE_SIMD) {
    // Engines do not hoist what depends on a global: all constants are locals.
    const start = i32x4.splat(bias),
      right = shift,
      zeros = i16x8.splat(<i16>zero),
      lowest = i8x16.splat(<i8>least),
      highest = i8x16.splat(<i8>most);
    const ma = i32x4.splat(multiplierA), mb = i32x4.splat(multiplierB);
    for (; count > 0; count -= 16, a += 16, b += 16, out += 16) {
      let x = v128.load8x8_s(a),
        y = v128.load8x8_s(b);
      const low = words(
        lowSums(x, y, start, ma, mb),
        highSums(x, y, start, ma, mb),
        right,
        zeros,
      );
      x = v128.load8x8_s(a, 8);
      y = v128.load8x8_s(b, 8);
      const high = words(
        lowSums(x, y, start, ma, mb),
        highSums(x, y, start, ma, mb),
        right,
        zeros,
      );
      storeBytes16(out, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(low, high), lowest), highest), count);
    }
  } else {
    for (const end = a + <usize>count; a < end; a++, b++, out++) {
      store<i8>(out, finish(bias + multiplierA * <i32>load<i8>(a) + multiplierB * <i32>load<i8>(b)));
    }
  }
}

function oneInput(a: usize, multiplier: i32, out: usize, count: i32, bias: i32): void {
  if (ASC_FEATURE_SIMD) {
    const start = i32x4.splat(bias),
      m = i32x4.splat(multiplier),
      right = shift,
      zeros = i16x8.splat(<i16>zero),
      lowest = i8x16.splat(<i8>least),
      highest = i8x16.splat(<i8>most);
    for (; count > 0; count -= 8, a += 8, out += 8) {
      const x = v128.load8x8_s(a);
      const sums = words(
        i32x4.add(start, i32x4.mul(i32x4.extend_low_i16x8_s(x), m)),
        i32x4.add(start, i32x4.mul(i32x4.extend_high_i16x8_s(x), m)),
        right,
        zeros,
      );
      storeBytes(out, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(sums, sums), lowest), highest), count);
    }
  } else {
    for (const end = a + <usize>count; a < end; a++, out++) {
      store<i8>(out, finish(bias + multiplier * <i32>load<i8>(a)));
    }
  }
}
