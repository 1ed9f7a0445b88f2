// quantize: y = saturate(rne(x / scale) + zero), float32 to int8, uint8 or int16; NaN becomes `zero`, which
// stands for 0. The division and the rounding are IEEE float32.
// Invariant: every float gives the same integer in the scalar and in the vector form.

import { Affine, IntegerKind, Status, Step } from "../abi";
import { address, canRead, canWrite, extent, field, fieldF32 } from "../memory";

export function checkQuantize(step: usize): i32 {
  const status = checkAffine(step);
  if (status != Status.Ok) return status;
  const count = field(step, Affine.Count);
  if (!canRead(step, Step.Input, extent(count, 4))) return Status.Read;
  return canWrite(step, Step.Output, extent(count, integerBytes(step))) ? Status.Ok : Status.Write;
}

/** The kernel and the zero point, which must be a value of the integer type: also for dequantize. */
export function checkAffine(step: usize): i32 {
  const kind = field(step, Step.Kernel),
    zero = field(step, Affine.Zero);
  if (kind < IntegerKind.Int8 || kind > IntegerKind.Int16) return Status.Kernel;
  return zero >= lowest(kind) && zero <= highest(kind) ? Status.Ok : Status.Shape;
}

export function integerBytes(step: usize): i32 {
  return field(step, Step.Kernel) == IntegerKind.Int16 ? 2 : 1;
}

function lowest(kind: i32): i32 {
  return kind == IntegerKind.Int8 ? -128 : kind == IntegerKind.Uint8 ? 0 : -32768;
}

function highest(kind: i32): i32 {
  return kind == IntegerKind.Int8 ? 127 : kind == IntegerKind.Uint8 ? 255 : 32767;
}

export function runQuantize(step: usize): void {
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
  const kind = field(step, Step.Kernel),
    zero = field(step, Affine.Zero),
    scale = fieldF32(step, Affine.Scale);
  const low = lowest(kind) - zero,
    high = highest(kind) - zero;
  let from = address(step, Step.Input),
    to = address(step, Step.Output),
    left = field(step, Affine.Count);
  if (ASC_FEATURE_SIMD) {
    const divisor = f32x4.splat(scale);
    const least = i32x4.splat(low),
      most = i32x4.splat(high),
      shift = i32x4.splat(zero);
    while (left >= 8) {
      const words = i16x8.narrow_i32x4_s(
        four(v128.load(from), divisor, least, most, shift),
        four(v128.load(from, 16), divisor, least, most, shift),
      );
      if (sizeof<T>() == 2) v128.store(to, words);
      else if (isSigned<T>()) v128.store64_lane(to, i8x16.narrow_i16x8_s(words, words), 0);
      else v128.store64_lane(to, i8x16.narrow_i16x8_u(words, words), 0);
      from += 32;
      to += 8 * sizeof<T>();
      left -= 8;
    }
  }
  for (; left > 0; left--) {
    const rounded = nearest<f32>(load<f32>(from) / scale);
    const q = rounded == rounded ? <i32>min<f32>(max<f32>(rounded, <f32>low), <f32>high) : 0;
    store<T>(to, <T>(q + zero));
    from += 4;
    to += sizeof<T>();
  }
}

/** The saturating conversion makes a NaN 0. */
// @ts-ignore: decorator
@inline
function four(x: v128, divisor: v128, least: v128, most: v128, shift: v128): v128 {
  const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(x, divisor)));
  return i32x4.add(i32x4.min_s(i32x4.max_s(q, least), most), shift);
}
