// mul: out = clamp(rne(f32((a − zeroA) · (b − zeroB)) · scale) + zero).
// Invariant: the product is exact in int32 and in float32; may run in place of a when both inputs
// have the output's shape.

import { Binary, MulField, Status, Step } from "../abi";
import { allWithin, field, fieldF32 } from "../memory";
import { MAGIC_BITS, nearest8, requantize } from "../numeric/requantize";
import { storeBytes } from "../simd/lanes";
import { checkBinary, nextRow, rowA, rowB, rowOut, startRows } from "./binary";

export function checkMul(step: usize): i32 {
  const status = checkBinary(step);
  if (status != Status.Ok) return status;
  if (!allWithin(step, MulField.AZero, MulField.BZero, -128, 127)) return Status.Shape;
  const scale = fieldF32(step, MulField.Scale);
  return scale >= 0 && scale <= f32.MAX_VALUE ? Status.Ok : Status.Params;
}

export function runMul(step: usize): void {
  const count = field(step, Binary.Dim3);
  const zero = field(step, Binary.OutZero);
  const low = <f32>(field(step, Binary.Min) - zero);
  const high = <f32>(field(step, Binary.Max) - zero);
  startRows(step);
  while (nextRow()) row(step, count, low, high, zero);
}

function row(step: usize, count: i32, low: f32, high: f32, zero: i32): void {
  const zeroA = field(step, MulField.AZero),
    zeroB = field(step, MulField.BZero);
  const varyA = field(step, Binary.AStride3),
    varyB = field(step, Binary.BStride3);
  const scale = fieldF32(step, MulField.Scale);
  let a = rowA,
    b = rowB,
    out = rowOut;
  if (ASC_FEATURE_SIMD) {
    const zerosA = i16x8.splat(<i16>zeroA),
      zerosB = i16x8.splat(<i16>zeroB);
    const scales = f32x4.splat(scale),
      lowest = f32x4.splat(low),
      highest = f32x4.splat(high);
    const offset = i32x4.splat(MAGIC_BITS - zero);
    let x = i16x8.sub(i16x8.splat(<i16>load<i8>(a)), zerosA);
    let y = i16x8.sub(i16x8.splat(<i16>load<i8>(b)), zerosB);
    for (; count > 0; count -= 8, a += 8, b += 8, out += 8) {
      if (varyA) x = i16x8.sub(v128.load8x8_s(a), zerosA);
      if (varyB) y = i16x8.sub(v128.load8x8_s(b), zerosB);
      const p = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_low_i16x8_s(x, y)), scales);
      const q = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_high_i16x8_s(x, y)), scales);
      storeBytes(out, nearest8(p, q, lowest, highest, offset), count);
    }
  } else {
    for (let i = 0; i < count; i++, a += <usize>varyA, b += <usize>varyB) {
      const product = (<i32>load<i8>(a) - zeroA) * (<i32>load<i8>(b) - zeroB);
      store<i8>(out++, <i8>requantize(product, scale, field(step, Binary.Min), field(step, Binary.Max), zero));
    }
  }
}
