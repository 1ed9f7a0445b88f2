// floatMatmul: out[i,j,m,n] = clamp(bias[n] + Σk a[i,j,m,k] · b[i,j,k,n]) in float32, or int32 without the clamp.
// Invariant: a, b and out of one batch are contiguous; b that is computed is put in blocks, eight columns at a
// time, in scratch. The order of the sum is k's (simd/gemmFloat.ts).

import { Status, Step } from "../abi";
import { FloatMatmul, MatmulKernel } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams, hasScratch } from "../memory";
import { blockBytes, gemmFloat, gemmFloatBlocks, words } from "../simd/gemmFloat";

const MOST: i32 = 1 << 28;

export function checkFloatMatmul(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel < 0 || kernel > MatmulKernel.Int + MatmulKernel.Columns || kernel == 3) return Status.Kernel;
  if (!allWithin(step, FloatMatmul.Batch0, FloatMatmul.K, 1, MOST)) return Status.Shape;
  if (!allWithin(step, FloatMatmul.AStride0, FloatMatmul.BStride1, 0, MOST)) return Status.Shape;
  const m = field(step, FloatMatmul.M), n = field(step, FloatMatmul.N), k = field(step, FloatMatmul.K);
  if (!canWrite(step, Step.Output, words(extent(field(step, FloatMatmul.Batch0), field(step, FloatMatmul.Batch1), m, n)))) return Status.Write;
  if (!canRead(step, Step.Input, reach(step, FloatMatmul.AStride0, extent(m, k)))) return Status.Read;
  const columns = <u64>(<u32>n + 7) >> 3;
  if ((kernel & 3) == MatmulKernel.Constant) return hasParams(step, columns * blockBytes(k)) ? Status.Ok : Status.Params;
  if (!canRead(step, Step.Input2, reach(step, FloatMatmul.BStride0, extent(n, k)))) return Status.Read;
  return hasScratch(step, blockBytes(k)) ? Status.Ok : Status.Scratch;
}

function reach(step: usize, strides: i32, cells: u64): u64 {
  const first = <u64>(field(step, FloatMatmul.Batch0) - 1) * <u64>field(step, strides);
  return words(first + <u64>(field(step, FloatMatmul.Batch1) - 1) * <u64>field(step, strides + 1) + cells);
}

export function runFloatMatmul(step: usize): void {
  if (field(step, Step.Kernel) & MatmulKernel.Int) batches<i32>(step);
  else batches<f32>(step);
}

function batches<T>(step: usize): void {
  const m = field(step, FloatMatmul.M), n = field(step, FloatMatmul.N), k = field(step, FloatMatmul.K);
  const kernel = field(step, Step.Kernel) & 3;
  const least = fieldF32(step, FloatMatmul.Min), most = fieldF32(step, FloatMatmul.Max);
  const stepA = <usize>k << 2, stepOut = <usize>n << 2;
  let out = address(step, Step.Output);
  for (let i = 0; i < field(step, FloatMatmul.Batch0); i++) {
    for (let j = 0; j < field(step, FloatMatmul.Batch1); j++, out += <usize>m * stepOut) {
      const a = address(step, Step.Input) + at(step, FloatMatmul.AStride0, i, j);
      if (kernel == MatmulKernel.Constant) {
        gemmFloatBlocks<T>(a, stepA, m, k, address(step, Step.Params), out, stepOut, n, least, most);
        continue;
      }
      const b = address(step, Step.Input2) + at(step, FloatMatmul.BStride0, i, j);
      const scratch = address(step, Step.Scratch);
      for (let column = 0; column < n; column += 8) {
        const count = min(n - column, 8);
        if (kernel == MatmulKernel.Rows) pack(scratch, b + (<usize>column << 2), stepOut, 4, k, count);
        else pack(scratch, b + <usize>column * stepA, 4, stepA, k, count);
        gemmFloat<T>(a, stepA, m, k, scratch, out + (<usize>column << 2), stepOut, count, least, most);
      }
    }
  }
}

function at(step: usize, strides: i32, i: i32, j: i32): usize {
  return (<usize>i * <usize>field(step, strides) + <usize>j * <usize>field(step, strides + 1)) << 2;
}

/** One block without a bias; columns past `count` are 0. */
function pack(to: usize, from: usize, stepK: usize, stepN: usize, k: i32, count: i32): void {
  memory.fill(to, 0, <usize>blockBytes(k));
  for (; k > 0; k--, from += stepK) {
    to += 32;
    for (let n = 0; n < count; n++) store<i32>(to + (<usize>n << 2), load<i32>(from + <usize>n * stepN));
  }
}
