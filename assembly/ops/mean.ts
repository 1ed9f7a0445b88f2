// mean: out[o, i] = clamp(rne(f32(Σr x[o, r, i]) · scale + zero)), r < Reduce. `scale` holds both
// scales and 1 / Reduce; `zero` both zero points, folded as XNNPACK folds them.
// Invariant: sums are exact in int32.

import { Mean, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32 } from "../memory";
import { MAGIC, MAGIC_BITS, nearest8 } from "../numeric/requantize";
import { columnSums, SUMS } from "../simd/columnSums";
import { storeBytes } from "../simd/lanes";

/** Most values of one mean: 2^23 · −128 = −2^30. */
const MAX_REDUCE: i32 = 1 << 23;

/** The constants of a step: set once, read by every sum. */
let scale: f32 = 0;
let zero: f32 = 0;
let low: f32 = 0;
let high: f32 = 0;

export function checkMean(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Mean.Outer, Mean.Inner, 1, i32.MAX_VALUE)) return Status.Shape;
  const reduce = field(step, Mean.Reduce);
  if (reduce > MAX_REDUCE || !allWithin(step, Mean.Min, Mean.Max, -128, 127)) return Status.Shape;
  if (field(step, Mean.Min) > field(step, Mean.Max)) return Status.Shape;
  const scale = fieldF32(step, Mean.Scale), zero = fieldF32(step, Mean.Zero);
  // Written so that a NaN is refused.
  if (!(abs<f32>(scale) <= f32.MAX_VALUE && abs<f32>(zero) <= f32.MAX_VALUE)) return Status.Params;
  const outer = field(step, Mean.Outer), inner = field(step, Mean.Inner);
  if (!canRead(step, Step.Input, extent(outer, reduce, inner))) return Status.Read;
  return canWrite(step, Step.Output, extent(outer, inner)) ? Status.Ok : Status.Write;
}

export function runMean(step: usize): void {
  scale = fieldF32(step, Mean.Scale);
  zero = fieldF32(step, Mean.Zero);
  low = <f32>field(step, Mean.Min);
  high = <f32>field(step, Mean.Max);
  const reduce = field(step, Mean.Reduce), inner = field(step, Mean.Inner);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let o = field(step, Mean.Outer); o > 0; o--) {
    if (ASC_FEATURE_SIMD) {
      if (inner == 1) store<i8>(output, finish(lineSum(input, reduce)));
      else columns(input, output, reduce, inner);
    } else {
      for (let i = 0; i < inner; i++) store<i8>(output + <usize>i, finish(stridedSum(input + <usize>i, reduce, inner)));
    }
    input += <usize>(reduce * inner);
    output += <usize>inner;
  }
}

// @ts-ignore: decorator
@inline
function finish(sum: i32): i8 {
  const real = min<f32>(max<f32>(<f32>sum * scale + zero, low), high);
  return <i8>(reinterpret<i32>(real + MAGIC) - MAGIC_BITS);
}

function stridedSum(at: usize, count: i32, stride: i32): i32 {
  let sum = 0;
  for (; count > 0; count--, at += <usize>stride) sum += <i32>load<i8>(at);
  return sum;
}

/** The sum of `count` neighbouring bytes. */
function lineSum(at: usize, count: i32): i32 {
  let sums = i32x4.splat(0);
  for (; count >= 16; count -= 16, at += 16) {
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(at))));
  }
  const pairs = i64x2.add(i64x2.extend_low_i32x4_s(sums), i64x2.extend_high_i32x4_s(sums));
  return <i32>(i64x2.extract_lane(pairs, 0) + i64x2.extract_lane(pairs, 1)) + stridedSum(at, count, 1);
}

/** Sixteen means at a time. */
function columns(input: usize, output: usize, reduce: i32, inner: i32): void {
  const lowest = f32x4.splat(low), highest = f32x4.splat(high), offset = i32x4.splat(MAGIC_BITS);
  for (let i = 0; i < inner; i += 16) {
    columnSums(input + <usize>i, 1, reduce, <usize>inner, 0);
    const out = output + <usize>i;
    storeBytes(out, nearest8(real(SUMS), real(SUMS + 16), lowest, highest, offset), inner - i);
    if (inner - i <= 8) return;
    storeBytes(out + 8, nearest8(real(SUMS + 32), real(SUMS + 48), lowest, highest, offset), inner - i - 8);
  }
}

// @ts-ignore: decorator
@inline
function real(sums: usize): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), f32x4.splat(scale)), f32x4.splat(zero));
}
