// batchMatmul: out[b, m, n] = requantize(Σk (a[b, m, k] − aZero) · (b[b, k, n] − bZero)), both int8
// activations; b lies as [K, N] or, with TransposedB, as [N, K].
// Invariant: scratch is that of rowsTimesBlocks, then b packed as its blocks (simd/packColumns.ts).

import { BatchMatmul, ConvKernel, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasScratch } from "../memory";
import { blocksBytes } from "../numeric/blocks";
import { requantize } from "../numeric/requantize";
import { PACK_SLACK, packColumns } from "../simd/packColumns";
import { MAX_AXIS } from "./conv2d";
import { widenedRows, rowsTimesBlocks } from "./fullyConnected";

/** Most products of 255 · 255 whose sum stays below 2^31. */
const MAX_DEPTH: i32 = 33025;
const MAX_STRIDE: i32 = 1 << 30;

export function checkBatchMatmul(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, BatchMatmul.Batch, BatchMatmul.K, 1, MAX_AXIS)) return Status.Shape;
  if (field(step, BatchMatmul.K) > MAX_DEPTH) return Status.Shape;
  if (!allWithin(step, BatchMatmul.ABatchStride, BatchMatmul.BBatchStride, 0, MAX_STRIDE)) return Status.Shape;
  if (!allWithin(step, BatchMatmul.AZero, BatchMatmul.OutZero, -128, 127)) return Status.Shape;
  if (!allWithin(step, BatchMatmul.Min, BatchMatmul.Max, -128, 127)) return Status.Shape;
  if (!allWithin(step, BatchMatmul.TransposedB, BatchMatmul.TransposedB, 0, 1)) return Status.Shape;
  const batch = field(step, BatchMatmul.Batch),
    m = field(step, BatchMatmul.M),
    n = field(step, BatchMatmul.N),
    k = field(step, BatchMatmul.K);
  // At most 2^20 batches of 2^30, and a matrix below 2^62: no 64-bit sum overflows.
  const a = <u64>(batch - 1) * <u64>field(step, BatchMatmul.ABatchStride) + extent(m, k),
    b = <u64>(batch - 1) * <u64>field(step, BatchMatmul.BBatchStride) + extent(k, n);
  if (!canRead(step, Step.Input, a) || !canRead(step, Step.Input2, b)) return Status.Read;
  if (!canWrite(step, Step.Output, extent(batch, m, n))) return Status.Write;
  const blocks = blocksBytes(n, (k + 1) >> 1, true) + PACK_SLACK;
  return hasScratch(step, widenedRows(k) + blocks) ? Status.Ok : Status.Scratch;
}

export function runBatchMatmul(step: usize): void {
  const m = field(step, BatchMatmul.M),
    n = field(step, BatchMatmul.N),
    k = field(step, BatchMatmul.K);
  const aStride = <usize>field(step, BatchMatmul.ABatchStride),
    bStride = <usize>field(step, BatchMatmul.BBatchStride);
  const aZero = field(step, BatchMatmul.AZero),
    bZero = field(step, BatchMatmul.BZero),
    zero = field(step, BatchMatmul.OutZero);
  const low = field(step, BatchMatmul.Min),
    high = field(step, BatchMatmul.Max);
  const transposed = field(step, BatchMatmul.TransposedB) != 0;
  const scale = fieldF32(step, BatchMatmul.Scale);
  const scratch = address(step, Step.Scratch),
    blocks = scratch + <usize>widenedRows(k);
  let a = address(step, Step.Input),
    b = address(step, Step.Input2),
    out = address(step, Step.Output);
  for (let batch = 0; batch < field(step, BatchMatmul.Batch); batch++) {
    if (ASC_FEATURE_SIMD) {
      if (batch == 0 || bStride != 0) packColumns(blocks, b, k, n, transposed, aZero, bZero, scale);
      rowsTimesBlocks<i32>(ConvKernel.Int8Wide, a, out, blocks, scratch, m, k, n, zero, low, high);
    } else {
      const inner = transposed ? <usize>1 : <usize>n,
        outer = transposed ? <usize>k : <usize>1;
      scalar(a, b, out, m, n, k, inner, outer, aZero, bZero, scale, zero, low, high);
    }
    a += aStride;
    b += bStride;
    out += <usize>(m * n);
  }
}

/** `inner` and `outer`: bytes from one k, and from one n, of b to the next. */
function scalar(
  a: usize,
  b: usize,
  out: usize,
  m: i32,
  n: i32,
  k: i32,
  inner: usize,
  outer: usize,
  aZero: i32,
  bZero: i32,
  scale: f32,
  zero: i32,
  min: i32,
  max: i32,
): void {
  for (let row = 0; row < m; row++, a += <usize>k) {
    let column = b;
    for (let i = 0; i < n; i++, column += outer) {
      let acc = 0,
        w = column;
      for (let x = a; x < a + <usize>k; x++, w += inner) {
        acc += (<i32>load<i8>(x) - aZero) * (<i32>load<i8>(w) - bZero);
      }
      store<i8>(out++, <i8>requantize(acc, scale, min, max, zero));
    }
  }
}
