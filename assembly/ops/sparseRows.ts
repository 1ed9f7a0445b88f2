// [rows, k] · blocks of sparse weights → [rows, n]: fullyConnected's and pointwise conv2d's path.
// Where cells are multiplied as int16, strips of rows are widened into scratch first, so that a block's groups are
// read for many pixels; elsewhere the rows are read where they lie.
// Invariant: scratch is a block's widened weights where they are of four bits, then a strip of rows (`stripRows`), each
// padded to a whole vector.

import { ConvKernel, Status, Step } from "../abi";
import { address, field, hasScratch } from "../memory";
import { checkSparse, sparseSetup, widenedBytes } from "../numeric/sparseBlocks";
import { gemmSetup } from "../simd/gemm";
import { widen } from "../simd/lanes";
import { sparseStrip, sparseTakesInt8 } from "../simd/sparse";

/** Bytes of widened rows that a strip should not pass: half of a small first cache. */
const STRIP_BYTES: i32 = 16384;

/** Rows of a strip: as many as fit, at least 4, and a multiple of 4. As in tools/pack/sparse.ts. */
function stripRows(k: i32): i32 {
  return max(4, STRIP_BYTES / rowBytes(k) & ~3);
}

function rowBytes(k: i32): i32 {
  return ((k + 7) & ~7) * 2;
}

/** Params and scratch of a step of `k` inputs and `n` outputs, whose other words have been checked. */
export function checkSparseRows(step: usize, k: i32, n: i32): i32 {
  const nibbles = field(step, Step.Kernel) == ConvKernel.SparseNibbles;
  if (!checkSparse(step, n, (<u32>k + 3) >> 2, nibbles)) return Status.Params;
  const bytes = widenedBytes(address(step, Step.Params), n, nibbles) + <usize>(stripRows(k) * rowBytes(k));
  return hasScratch(step, bytes) ? Status.Ok : Status.Scratch;
}

/** `inputs`, `outputs`, `zero`: the words of InC, OutC and OutZero in the operator's step; Min and Max lie behind the last. */
export function runSparseRows(step: usize, rows: i32, inputs: i32, outputs: i32, zero: i32): void {
  const k = field(step, inputs), n = field(step, outputs);
  const nibbles = field(step, Step.Kernel) == ConvKernel.SparseNibbles;
  const input = address(step, Step.Input), output = address(step, Step.Output), params = address(step, Step.Params);
  const widened = address(step, Step.Scratch), strip = widened + widenedBytes(params, n, nibbles);
  gemmSetup(0, 0, 0, n, field(step, zero), field(step, zero + 1), field(step, zero + 2));
  sparseSetup(params, n, nibbles);
  // where no row is widened, a whole number of tiles of three, four and five
  const most = sparseTakesInt8() ? stripRows(k) * 15 : stripRows(k);
  for (let r = 0; r < rows; r += most) {
    let count = min(most, rows - r), first = r;
    if (count < 4 && rows >= 4) {
      count = 4;
      first = rows - 4;
    }
    const from = input + <usize>(first * k), to = output + <usize>(first * n);
    if (sparseTakesInt8()) {
      sparseStrip<i8>(from, <usize>k, count, to, widened);
    } else {
      const row = <usize>rowBytes(k);
      for (let i = 0; i < count; i++) widen(strip + <usize>i * row, from + <usize>(i * k), k);
      sparseStrip<i16>(strip, row, count, to, widened);
    }
  }
}
