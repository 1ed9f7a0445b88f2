// conv2d with sparse weights. The padded input rows that an output row touches lie behind one another in scratch
// (simd/rowWindow.ts), so that a group's place is one offset whatever its kernel row:
//
//   place · 4 = ky·dilationH · (cells of a slot) + kx·dilationW · InC + c
//
// Pointwise layers read rows of pixels instead (sparseRows.ts).
// Invariant: scratch is a block's widened weights where they are of four bits, then twice the rows that an output row
// touches.

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, field, hasScratch } from "../memory";
import { checkSparse, sparseSetup, widenedBytes } from "../numeric/sparseBlocks";
import { gemmSetup } from "../simd/gemm";
import { ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";
import { windowRows, windowStart } from "../simd/rowWindow";
import { sparseStrip, sparseTakesInt8 } from "../simd/sparse";
import { isPointwise, rowPixels, rowsHeld } from "./conv2d";
import { checkSparseRows, runSparseRows } from "./sparseRows";

/** The dimensions have been checked as any convolution's. */
export function checkConv2dSparse(step: usize): i32 {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  if (isPointwise(step)) return checkSparseRows(step, inC, outC);
  const slot = slotBytes16(rowPixels(step), inC), held = <u64>rowsHeld(step);
  // cells of one window of rows, less those by which the last pixel's cells lie behind the first one's
  const shift = <u64>(field(step, Conv.OutW) - 1) * <u64>field(step, Conv.StrideW) * <u64>inC;
  const limit = min<u64>((held * (slot >> 1) - shift) >> 2, 65536);
  const nibbles = field(step, Step.Kernel) == ConvKernel.SparseNibbles;
  if (!checkSparse(step, outC, <u32>limit, nibbles)) return Status.Params;
  const bytes = widenedBytes(address(step, Step.Params), outC, nibbles) + 2 * held * slot;
  return hasScratch(step, bytes) ? Status.Ok : Status.Scratch;
}

export function runConv2dSparse(step: usize): void {
  if (isPointwise(step)) {
    const rows = field(step, Conv.Batch) * field(step, Conv.OutH) * field(step, Conv.OutW);
    runSparseRows(step, rows, Conv.InC, Conv.OutC, Conv.OutZero);
    return;
  }
  const outC = field(step, Conv.OutC);
  gemmSetup(0, 0, 0, outC, field(step, Conv.OutZero), field(step, Conv.Min), field(step, Conv.Max));
  sparseSetup(address(step, Step.Params), outC, field(step, Step.Kernel) == ConvKernel.SparseNibbles);
  if (sparseTakesInt8()) windows<i8>(step);
  else windows<i16>(step);
}

/** CELL: the cells of the rows in scratch. */
function windows<CELL>(step: usize): void {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW);
  const strideH = field(step, Conv.StrideH), padTop = field(step, Conv.PadTop);
  const held = rowsHeld(step), pixels = rowPixels(step);
  // int8 rows take half of what int16 ones do, at the same places counted in cells
  const slot = (<usize>slotBytes16(pixels, inC) >> 1) * sizeof<CELL>();
  const pixelStep = <usize>(field(step, Conv.StrideW) * inC) * sizeof<CELL>();
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  const widened = address(step, Step.Scratch);
  const nibbles = field(step, Step.Kernel) == ConvKernel.SparseNibbles;
  ringSetup(
    widened + widenedBytes(address(step, Step.Params), outC, nibbles), 2 * held, slot, pixels,
    field(step, Conv.InH), field(step, Conv.InW), inC, field(step, Conv.PadLeft), field(step, Conv.InZero),
  );
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += inputBytes) {
    ringStart(input, -padTop);
    windowStart(-padTop);
    for (let oy = 0; oy < outH; oy++) {
      const top = oy * strideH - padTop;
      sparseStrip<CELL>(windowRows<CELL>(top, top + held - 1), pixelStep, outW, output, widened);
      output += <usize>(outW * outC);
    }
  }
}
