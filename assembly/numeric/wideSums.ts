// From exact 64-bit sums of int16 × int8 products to int16, by TFLite's three rules, and the blocks
// that hold the weights (tools/pack/wideSums.ts):
//
//   a block is eight outputs:   ├ bias i64×8 ┼ scaling, 8 bytes ×8 ┼ pair 0 ┼ pair 1 ┼ … ┤
//   a pair as in simd/gemm.ts:  ├ w[k][n0] w[k+1][n0] … w[k][n7] w[k+1][n7] ┤   16 × i8
//   scaling by rule:            Q15 and Q31 ├ multiplier i32 ┼ shift i32 ┤   Float64 ├ factor f64 ┤
//
// Invariant: any bits in a block give an int16, never a trap.

import { weightAt } from "./blocks";
import { multiplyByQuantizedMultiplier } from "./fixedPoint";

export const enum WideRule {
  /** conv2d with an int64 bias: (sum · multiplier + half) >> shift, multiplier of 15 bits */
  Q15 = 0,
  /** conv2d with an int32 bias: the sum as int32 by a Q31 multiplier, rounded twice */
  Q31 = 1,
  /** fullyConnected: round(f64(sum) · factor), halves away from zero */
  Float64 = 2,
}

/** Bytes of bias and scaling at the head of a block. */
export const WIDE_HEAD: usize = 128;

export function wideBlocksBytes(n: i32, pairs: i32): u64 {
  return (<u64>((n + 7) >> 3)) * (<u64>WIDE_HEAD + (<u64>pairs) * 16);
}

/** `scaling` points to the output's eight bytes of it. */
export function wideOutput(rule: i32, sum: i64, scaling: usize, low: i32, high: i32): i32 {
  if (rule == WideRule.Float64) return roundClamped(<f64>sum * load<f64>(scaling), low, high);
  const multiplier = load<i32>(scaling),
    shift = load<i32>(scaling, 4);
  let value: i64;
  if (rule == WideRule.Q15) {
    value = (sum * <i64>multiplier + ((<i64>1) << (<i64>shift - 1))) >> (<i64>shift);
  } else {
    const narrow = <i32>min<i64>(max<i64>(sum, <i64>i32.MIN_VALUE), <i64>i32.MAX_VALUE);
    value = <i64>multiplyByQuantizedMultiplier(narrow, multiplier, shift);
  }
  return <i32>min<i64>(max<i64>(value, <i64>low), <i64>high);
}

/** Halves away from zero; NaN gives `low`. */
function roundClamped(real: f64, low: i32, high: i32): i32 {
  if (!(real > <f64>low)) return low;
  if (real >= <f64>high) return high;
  const whole = <i32>real;
  const rest = real - <f64>whole;
  return whole + (rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0);
}

/** One row of k int16 inputs against all blocks: the scalar build's kernel. */
export function wideScalar(x: usize, out: usize, block: usize, k: i32, n: i32, rule: i32, low: i32, high: i32): void {
  const blockBytes = <usize>wideBlocksBytes(8, (k + 1) >> 1);
  for (let c = 0; c < n; c++) {
    const lane = c & 7;
    const own = (<usize>lane) << 3;
    let sum = load<i64>(block + own);
    for (let i = 0; i < k; i++) {
      sum += <i64>(<i32>load<i16>(x + ((<usize>i) << 1)) * weightAt<f32>(block + WIDE_HEAD, lane, i));
    }
    store<i16>(out + ((<usize>c) << 1), <i16>wideOutput(rule, sum, block + 64 + own, low, high));
    if (lane == 7) block += blockBytes;
  }
}
