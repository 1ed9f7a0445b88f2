// softmax over the last axis: out = round(256 · e[x] / Σ e) − 128, e[x] = table[max − x] in Q0.31.
// gemmlowp's fixed point, as TFLite's reference kernel: integers only.
//
//   Σ       Q12.19: each e rounded by 2^12
//   1 / Σ   one_over_one_plus_x by three Newton steps in Q2.29, then Q0.31 times a power of two
//
// Invariant: the table's values are at least 0, so Depth ≤ MAX_DEPTH keeps Σ in int32; may run in place.

import { Softmax, Status, Step } from "../abi";
import { address, canRead, canWrite, extent, field, hasParams } from "../memory";
import { highMultiply } from "../numeric/fixedPoint";

const MAX_DEPTH = 4095;

/** Integer bits of Σ. */
const SUM_BITS = 12;

export function checkSoftmax(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const rows = field(step, Softmax.Rows), depth = field(step, Softmax.Depth);
  if (rows < 1 || depth < 1 || depth > MAX_DEPTH) return Status.Shape;
  const bytes = extent(rows, depth);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  if (!canWrite(step, Step.Output, bytes)) return Status.Write;
  return hasParams(step, 256 * 4) ? Status.Ok : Status.Params;
}

export function runSoftmax(step: usize): void {
  const depth = field(step, Softmax.Depth);
  const table = address(step, Step.Params);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let r = field(step, Softmax.Rows); r > 0; r--) {
    row(input, output, depth, table);
    input += <usize>depth;
    output += <usize>depth;
  }
}

function row(input: usize, output: usize, depth: i32, table: usize): void {
  const end = input + <usize>depth;
  const most = greatest(input, end);
  let sum: u32 = 0;
  for (let at = input; at < end; at++) sum += (exponential(table, most, at) + (1 << (SUM_BITS - 1))) >> SUM_BITS;
  // Σ = 2^31 · (1 + x) / 2^headroom with x in [0, 1).
  const headroom = <i32>clz<u32>(sum);
  const scale = <i64>oneOverOnePlus(<i32>((sum << headroom) - 0x80000000));
  const shift = <i64>(SUM_BITS - headroom + 31 - 8);
  const half = (<i64>1 << shift) >> 1;
  for (let at = input; at < end; at++, output++) {
    const product = (scale * <i64>exponential(table, most, at) + (1 << 30)) >> 31;
    store<i8>(output, <i8>(min<i64>((product + half) >> shift, 255) - 128));
  }
}

// @ts-ignore: decorator
@inline
function exponential(table: usize, most: i32, at: usize): u32 {
  return load<u32>(table + (<usize>(most - <i32>load<i8>(at)) << 2));
}

function greatest(at: usize, end: usize): i32 {
  let most: i32 = -128;
  if (ASC_FEATURE_SIMD) {
    if (at + 16 <= end) {
      let lanes = v128.load(at);
      for (at += 16; at + 16 <= end; at += 16) lanes = i8x16.max_s(lanes, v128.load(at));
      lanes = i8x16.max_s(lanes, v128.shuffle<i64>(lanes, lanes, 1, 0));
      let eight = v128.extract_lane<i64>(lanes, 0);
      for (let i = 0; i < 8; i++, eight >>= 8) most = max<i32>(most, <i32>(<i8>eight));
    }
  }
  for (; at < end; at++) most = max<i32>(most, <i32>load<i8>(at));
  return most;
}

/** 1 / (1 + x) in Q0.31, x in Q0.31 from 0 to 1. */
function oneOverOnePlus(x: i32): i32 {
  const halfDenominator = <i32>((<i64>x + 0x80000000) >> 1);
  // 48/17 − 32/17 · halfDenominator, in Q2.29.
  let y = 1515870810 + highMultiply(halfDenominator, -1010580540);
  for (let i = 0; i < 3; i++) y += highMultiply(y, (1 << 29) - highMultiply(halfDenominator, y)) << 2;
  return y >= 1 << 30 ? i32.MAX_VALUE : y << 1;
}
