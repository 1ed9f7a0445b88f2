// dequantize: y = scale · (q − zero) in float32, from int8, uint8 or int16.
// Invariant: q − zero is exact in float32, so each value is rounded once.

import { Affine, IntegerKind, Status, Step } from "../abi";
import { address, canRead, canWrite, extent, field, fieldF32 } from "../memory";
import { checkAffine, integerBytes } from "./quantize";

export function checkDequantize(step: usize): i32 {
  const status = checkAffine(step);
  if (status != Status.Ok) return status;
  const count = field(step, Affine.Count);
  if (!canRead(step, Step.Input, extent(count, integerBytes(step)))) return Status.Read;
  return canWrite(step, Step.Output, extent(count, 4)) ? Status.Ok : Status.Write;
}

export function runDequantize(step: usize): void {
  switch (field(step, Step.Kernel)) {
    case IntegerKind.Int8:
      each<i8>(step);
      break;
    case IntegerKind.Uint8:
      each<u8>(step);
      break;
    default:
      each<i16>(step);
  }
}

function each<T>(step: usize): void {
  const zero = field(step, Affine.Zero),
    scale = fieldF32(step, Affine.Scale);
  let from = address(step, Step.Input),
    to = address(step, Step.Output),
    left = field(step, Affine.Count);
  if (ASC_FEATURE_SIMD) {
    const factor = f32x4.splat(scale),
      shift = i32x4.splat(zero);
    while (left >= 8) {
      let words: v128;
      if (sizeof<T>() == 2) words = v128.load(from);
      else if (isSigned<T>()) words = v128.load8x8_s(from);
      else words = v128.load8x8_u(from);
      const lo = i32x4.sub(i32x4.extend_low_i16x8_s(words), shift),
        hi = i32x4.sub(i32x4.extend_high_i16x8_s(words), shift);
      v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(lo), factor));
      v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(hi), factor), 16);
      from += 8 * sizeof<T>();
      to += 32;
      left -= 8;
    }
  }
  for (; left > 0; left--) {
    store<f32>(to, <f32>(<i32>load<T>(from) - zero) * scale);
    from += sizeof<T>();
    to += 4;
  }
}
