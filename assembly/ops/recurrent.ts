// recurrent: gru, lstm or rnn in one direction over a whole sequence; tools/ops/recurrentRule.ts has the arithmetic.
// params: the blocks (simd/gemm.ts) of the weights over InC, then of the recurrent weights over Units, each gate
// padded to whole blocks of eight outputs; Tables: tools/ops/gateTables.ts.
//
//   scratch, in int16:  ├ fromX: 4 × gates · row ┼ fromH: row ┼ h Q0.15 ┼ c ┼ h as stored ┼ r ∘ h as stored ┼ x: 4 rows ┤
//   row = Units rounded up to 8; those behind fromH have 8 more. With Widened the recurrent weights follow (simd/gates.ts)
//
// Invariant: every sum is exact in int32 (the packer sees to it); padding units compute, and are never stored.

import { Status, Step } from "../abi";
import { Recurrent, RecurrentFlag, RecurrentKernel } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, inImage } from "../memory";
import { blocksBytes } from "../numeric/blocks";
import { addRows, cellRows, mixRows, multiplyRows, narrowRow, scaleRow, widenRow } from "../simd/cells";
import { gateSums, gateTile, lookGates, TABLE_BYTES, widenGroups } from "../simd/gates";
import { MAX_AXIS } from "./conv2d";
import { MAX_K } from "./fullyConnected";

/** Rows of x that are multiplied at once. */
const AHEAD: usize = 4;

function gatesOf(kernel: i32): i32 {
  return kernel == RecurrentKernel.Rnn ? 1 : kernel == RecurrentKernel.Lstm ? 4 : 3;
}

// @ts-ignore: decorator
@inline
function eights(count: i32): i32 {
  return (count + 7) & ~7;
}

/** Elements from the first to past the last of a sequence of rows of `width`. */
function reach(step: usize, batchStride: i32, width: i32): u64 {
  return (
    <u64>(field(step, Recurrent.Batch) - 1) * <u64>field(step, batchStride) +
    <u64>(field(step, Recurrent.Time) - 1) * <u64>field(step, batchStride + 1) +
    <u64>width
  );
}

export function checkRecurrent(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel < RecurrentKernel.Rnn || kernel > RecurrentKernel.Lstm) return Status.Kernel;
  if (!allWithin(step, Recurrent.Batch, Recurrent.Time, 1, MAX_AXIS)) return Status.Shape;
  if (!allWithin(step, Recurrent.InC, Recurrent.Units, 1, MAX_K)) return Status.Shape;
  if (!allWithin(step, Recurrent.XBatchStride, Recurrent.YTimeStride, 0, 1 << 30)) return Status.Shape;
  if (!allWithin(step, Recurrent.CellBits, Recurrent.CellBits, 0, 15)) return Status.Shape;
  if (!allWithin(step, Recurrent.CellClip, Recurrent.CellClip, 0, 32768)) return Status.Shape;
  const inC = field(step, Recurrent.InC),
    units = field(step, Recurrent.Units),
    flags = field(step, Recurrent.Flags),
    gates = gatesOf(kernel),
    row = eights(units);
  const batch = field(step, Recurrent.Batch);
  const hidden = extent(batch, units, flags & RecurrentFlag.HiddenWide ? 2 : 1),
    cell = kernel == RecurrentKernel.Lstm ? extent(batch, units, flags & RecurrentFlag.CellWide ? 2 : 1) : 0;
  if (!canRead(step, Step.Input, reach(step, Recurrent.XBatchStride, inC))) return Status.Read;
  if (flags & RecurrentFlag.Starts) {
    if (!canRead(step, Step.Input2, hidden) || !canRead(step, Recurrent.CellIn, cell)) return Status.Read;
  }
  const y = reach(step, Recurrent.YBatchStride, units) << (flags & RecurrentFlag.YWide ? 1 : 0);
  if (!canWrite(step, Step.Output, y) || !canWrite(step, Recurrent.HiddenOut, hidden)) return Status.Write;
  if (cell != 0 && !canWrite(step, Recurrent.CellOut, cell)) return Status.Write;
  const outputs = gates * row;
  const blocks = blocksBytes(outputs, (inC + 1) >> 1, false) + blocksBytes(outputs, (units + 1) >> 1, false);
  if (!inImage(step, Step.Params, blocks) || !inImage(step, Recurrent.Tables, 2 * <u64>TABLE_BYTES)) return Status.Params;
  const widened = flags & RecurrentFlag.Widened ? <u64>outputs * <u64>((units + 1) >> 1) : 0;
  const scratch = 2 * (4 * <u64>(outputs + row + 8 + eights(inC) + 8) + <u64>row + 2 * widened);
  const declared = field(step, Step.ScratchBytes);
  if (declared < 0 || <u64>declared < scratch || !canWrite(step, Step.Scratch, scratch)) return Status.Scratch;
  return Status.Ok;
}

export function runRecurrent(step: usize): void {
  const kernel = field(step, Step.Kernel),
    flags = field(step, Recurrent.Flags),
    time = field(step, Recurrent.Time),
    inC = field(step, Recurrent.InC),
    units = field(step, Recurrent.Units);
  const gates = gatesOf(kernel),
    row = eights(units),
    rowBytes = <usize>row << 1,
    gateBytes = <usize>gates * rowBytes,
    state = rowBytes + 16;
  const hiddenWide = (flags & RecurrentFlag.HiddenWide) != 0,
    yWide = (flags & RecurrentFlag.YWide) != 0,
    cellWide = (flags & RecurrentFlag.CellWide) != 0,
    starts = (flags & RecurrentFlag.Starts) != 0;
  const scale = fieldF32(step, Recurrent.HiddenScale),
    inverse = fieldF32(step, Recurrent.HiddenInverse),
    zero = field(step, Recurrent.HiddenZero);
  const rows = address(step, Step.Scratch),
    fromH = rows + AHEAD * gateBytes,
    h = fromH + rowBytes,
    c = h + state,
    kept = c + state,
    reset = kept + state,
    cells = reset + state,
    cellsBytes = (<usize>eights(inC) + 8) << 1;
  const tables = address(step, Recurrent.Tables);
  const gateBlocks = row >> 3,
    blocks = gates * gateBlocks,
    xPairs = (inC + 1) >> 1,
    hPairs = (units + 1) >> 1;
  const params = address(step, Step.Params),
    recurrent = params + <usize>blocksBytes(8 * blocks, xPairs, false);
  // the new gate of a gru is multiplied after the others
  const gru = kernel == RecurrentKernel.GruResetAfter || kernel == RecurrentKernel.GruResetBefore;
  const firstBlocks = gru ? 2 * gateBlocks : blocks,
    lastBlocks = recurrent + <usize>blocksBytes(8 * firstBlocks, hPairs, false);
  let wide: usize = 0,
    lastWide: usize = 0;
  if (ASC_FEATURE_SIMD) {
    if (flags & RecurrentFlag.Widened) {
      wide = cells + AHEAD * cellsBytes;
      lastWide = widenGroups(wide, recurrent, hPairs, firstBlocks);
      if (gru) widenGroups(lastWide, lastBlocks, hPairs, gateBlocks);
    }
  }
  const hiddenBytes = <usize>units << <usize>hiddenWide,
    cellBytes = <usize>units << <usize>cellWide;
  const x = address(step, Step.Input),
    y = address(step, Step.Output);
  const xStep = <usize>field(step, Recurrent.XTimeStride),
    yStep = <usize>field(step, Recurrent.YTimeStride) << <usize>yWide;
  const last = <usize>(time - 1);
  const reverse = (flags & RecurrentFlag.Reverse) != 0;
  for (let b: usize = 0; b < <usize>field(step, Recurrent.Batch); b++) {
    memory.fill(h, 0, 4 * state);
    if (starts) {
      widenRow(kept, address(step, Step.Input2) + b * hiddenBytes, units, hiddenWide, 0);
      if (kernel == RecurrentKernel.Lstm) {
        widenRow(c, address(step, Recurrent.CellIn) + b * cellBytes, units, cellWide, 8);
      }
    } else {
      for (let i: usize = 0; i < <usize>units; i++) store<i16>(kept + (i << 1), <i16>zero);
    }
    const xRow = x + b * <usize>field(step, Recurrent.XBatchStride);
    const yRow = y + ((b * <usize>field(step, Recurrent.YBatchStride)) << <usize>yWide);
    let fromX = rows;
    for (let i: usize = 0; i <= last; i++, fromX += gateBytes) {
      if ((i & (AHEAD - 1)) == 0) {
        fromX = rows;
        productsAhead(cells, cellsBytes, xRow, i, last, reverse, xStep, inC, params, blocks, rows, gateBytes);
      }
      const n = fromX + 2 * rowBytes;
      if (gru) {
        // h in Q0.15 from what was kept
        if (hiddenWide) memory.copy(h, kept, rowBytes);
        else scaleRow(h, kept, row, zero, scale, 0, true);
        gateSums(kept, hPairs, recurrent, firstBlocks, fromX, true, wide);
        lookGates(fromX, 2 * row, tables);
        const r = fromX + rowBytes;
        if (kernel == RecurrentKernel.GruResetAfter) {
          gateSums(kept, hPairs, lastBlocks, gateBlocks, fromH, false, lastWide);
          multiplyRows(fromH, r, row);
          addRows(n, fromH, row);
        } else {
          multiplyRows(r, h, row);
          keep(reset, r, row, inverse, zero, hiddenWide);
          gateSums(reset, hPairs, lastBlocks, gateBlocks, n, true, lastWide);
        }
        lookGates(n, row, tables + TABLE_BYTES);
        mixRows(h, fromX, n, row);
      } else {
        gateSums(kept, hPairs, recurrent, blocks, fromX, true, wide);
        if (kernel == RecurrentKernel.Rnn) {
          lookGates(fromX, row, tables + TABLE_BYTES);
          memory.copy(h, fromX, rowBytes);
        } else {
          lookGates(fromX, 2 * row, tables);
          lookGates(n, row, tables + TABLE_BYTES);
          lookGates(n + rowBytes, row, tables);
          cellRows(h, c, fromX, row, field(step, Recurrent.CellBits), field(step, Recurrent.CellClip), cellWide);
          lookGates(h, row, tables + TABLE_BYTES);
          multiplyRows(h, n + rowBytes, row);
        }
      }
      keep(kept, h, row, inverse, zero, hiddenWide);
      // the gates have served: y goes over them
      keep(fromX, h, row, fieldF32(step, Recurrent.YInverse), field(step, Recurrent.YZero), yWide);
      narrowRow(yRow + (reverse ? last - i : i) * yStep, fromX, units, yWide, 0);
    }
    narrowRow(address(step, Recurrent.HiddenOut) + b * hiddenBytes, kept, units, hiddenWide, 0);
    if (kernel == RecurrentKernel.Lstm) {
      narrowRow(address(step, Recurrent.CellOut) + b * cellBytes, c, units, cellWide, 8);
    }
  }
}

/** The products of the next rows of x, AHEAD of them or as many as there are, which no state has a part in. */
function productsAhead(
  cells: usize, cellsBytes: usize, xRow: usize, i: usize, last: usize, reverse: bool, xStep: usize, inC: i32,
  params: usize, blocks: i32, out: usize, outBytes: usize,
): void {
  const count = min<usize>(AHEAD, last + 1 - i),
    pairs = (inC + 1) >> 1;
  for (let k: usize = 0; k < count; k++, i++) {
    const row = cells + k * cellsBytes;
    widenRow(row, xRow + (reverse ? last - i : i) * xStep, inC, false, 0);
    if (!ASC_FEATURE_SIMD || count < AHEAD) gateSums(row, pairs, params, blocks, out + k * outBytes, false, 0);
  }
  if (ASC_FEATURE_SIMD && count == AHEAD) gateTile(cells, cellsBytes, pairs, params, blocks, out, outBytes);
}

/** Q0.15 as stored, as int16. */
function keep(to: usize, from: usize, count: i32, inverse: f32, zero: i32, wide: bool): void {
  // int16 is Q0.15 itself
  if (wide) memory.copy(to, from, <usize>count << 1);
  else scaleRow(to, from, count, 0, inverse, zero, false);
}
