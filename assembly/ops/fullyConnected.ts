// fullyConnected: out[r, n] = requantize(bias[n] + Σk x[r, k] · w[n, k]), r < Rows.
// The input's zero point is folded into the bias by the packer. params: blocks, see simd/gemm.ts.
// Invariant: scratch holds the one segment's address, then four rows of K int16 or what conv2dRelaxed.ts draws.

import { ConvKernel, Dense, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams, hasScratch } from "../memory";
import { blocksBytes, rowsScalar } from "../numeric/blocks";
import { gemm1, gemm4, gemmReckon, gemmSetup } from "../simd/gemm";
import { gemm5Relaxed } from "../simd/gemmRelaxed";
import { pixelsByStrips } from "../simd/gemmStrips";
import { widen } from "../simd/lanes";
import { takesInt8, tile1, tile4 } from "../simd/tiles";
import { isRelaxed, startStrips, takesStrips, withStrips } from "./conv2dRelaxed";
import { checkDenseFewBits, isFewBits, runDenseFewBits } from "./fewBits";
import { checkFullyConnected16, runFullyConnected16 } from "./fullyConnected16";
import { checkSparseStep, runSparseStep } from "./sparseStep";

/** Most inputs of one output for which Σ|x·w| of int8 × int16 weights stays below 2^31. */
export const MAX_K: i32 = 65535;

export function checkFullyConnected(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel == ConvKernel.Int16) return checkFullyConnected16(step);
  if (isFewBits(kernel)) return checkDenseFewBits(step);
  const sparse = kernel == ConvKernel.Sparse || kernel == ConvKernel.SparseNibbles;
  if (!sparse && kernel != ConvKernel.Int8 && kernel != ConvKernel.Int8Wide && !isRelaxed(kernel)) return Status.Kernel;
  const rows = field(step, Dense.Rows);
  const k = field(step, Dense.InC);
  const n = field(step, Dense.OutC);
  if (rows < 1 || k < 1 || k > MAX_K || n < 1) return Status.Shape;
  if (!allWithin(step, Dense.OutZero, Dense.Max, -128, 127)) return Status.Shape;
  if (!canRead(step, Step.Input, extent(rows, k))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(rows, n))) return Status.Write;
  if (sparse) return checkSparseStep(step);
  if (!hasParams(step, blocksBytes(n, (k + 1) >> 1, kernel == ConvKernel.Int8Wide))) return Status.Params;
  return hasScratch(step, withStrips(kernel, <u64>((k + 1) >> 1), n, widenedRows(k))) ? Status.Ok : Status.Scratch;
}

/** What `rowsTimesBlocks` needs: the address of the one segment, then four widened rows, or strips. */
export function widenedRows(k: i32): u64 {
  return <u64>rowBytes(k) * 4 + 16;
}

/** Bytes of one widened row, with room for the vector store that runs past its end. */
function rowBytes(k: i32): i32 {
  return ((k + 7) & ~7) * 2;
}

export function runFullyConnected(step: usize): void {
  const kernel = field(step, Step.Kernel);
  if (kernel == ConvKernel.Int16) runFullyConnected16(step);
  else if (isFewBits(kernel)) runDenseFewBits(step);
  else if (kernel == ConvKernel.Int8Wide) runInt8<i32>(step);
  else if (kernel == ConvKernel.Sparse || kernel == ConvKernel.SparseNibbles) runSparseStep(step);
  else runInt8<f32>(step);
}

/** WIDE: an integer type for int16 weights, a float type for int8 ones (asc specialises on it). */
function runInt8<WIDE>(step: usize): void {
  const rows = field(step, Dense.Rows);
  const k = field(step, Dense.InC);
  const n = field(step, Dense.OutC);
  const zero = field(step, Dense.OutZero);
  const min = field(step, Dense.Min);
  const max = field(step, Dense.Max);
  const input = address(step, Step.Input), output = address(step, Step.Output), blocks = address(step, Step.Params);
  if (ASC_FEATURE_SIMD) {
    const kernel = field(step, Step.Kernel), scratch = address(step, Step.Scratch);
    rowsTimesBlocks<WIDE>(kernel, input, output, blocks, scratch, rows, k, n, zero, min, max);
  } else {
    rowsScalar<WIDE>(input, <usize>k, rows, output, blocks, k, n, zero, min, max);
  }
}

/** [rows, k] · blocks → [rows, n]: also conv2d's pointwise path. */
export function rowsTimesBlocks<WIDE>(
  kernel: i32,
  input: usize,
  output: usize,
  blocks: usize,
  scratch: usize,
  rows: i32,
  k: i32,
  n: i32,
  zero: i32,
  min: i32,
  max: i32,
): void {
  const row = <usize>rowBytes(k);
  const segment = scratch;
  const pairs = (k + 1) >> 1;
  gemmSetup(segment, 1, pairs, n, zero, min, max);
  if (rows > 3) gemmReckon<WIDE>(blocks);
  scratch += 16;
  if (ASC_FEATURE_RELAXED_SIMD && !isInteger<WIDE>() && takesStrips(kernel, rows, pairs, 1)) {
    const seven = kernel == ConvKernel.Int7;
    store<u32>(segment, <u32>input);
    startStrips(scratch, blocks, seven);
    pixelsByStrips(rows, <usize>k, scratch, blocks, output, seven);
    return;
  }
  // The last tile of four starts early and writes a row again, with the same bytes; one row or two cost less alone.
  const least = rows > 3 ? 3 : 4;
  if (takesInt8<WIDE>()) {
    // The rows are read where they lie; an odd K meets a zero weight with whatever lies behind it.
    store<u32>(segment, <u32>input);
    let at: usize = 0;
    if (ASC_FEATURE_RELAXED_SIMD) {
      // as many tiles of five as leave whole tiles of four
      for (let fives = rows / 5 - ((rows / 5 - rows) & 3); fives > 0; fives--, rows -= 5) {
        gemm5Relaxed(at, <usize>k, blocks, output);
        at += <usize>(5 * k);
        output += <usize>(5 * n);
      }
    }
    for (; rows >= least; rows -= 4) {
      if (rows == 3) {
        at -= <usize>k;
        output -= <usize>n;
      }
      tile4<WIDE, i8>(at, <usize>k, blocks, output);
      at += <usize>(k << 2);
      output += <usize>(n << 2);
    }
    for (; rows > 0; rows--, at += <usize>k, output += <usize>n) tile1<WIDE, i8>(at, blocks, output);
    return;
  }
  store<u32>(segment, <u32>scratch);
  for (; rows >= least; rows -= 4) {
    if (rows == 3) {
      input -= <usize>k;
      output -= <usize>n;
    }
    for (let to = scratch, end = scratch + 4 * row; to < end; to += row, input += <usize>k) widen(to, input, k);
    gemm4<WIDE>(0, row, blocks, output);
    output += <usize>(n << 2);
  }
  for (; rows > 0; rows--, input += <usize>k, output += <usize>n) {
    widen(scratch, input, k);
    gemm1<WIDE>(0, blocks, output);
  }
}
