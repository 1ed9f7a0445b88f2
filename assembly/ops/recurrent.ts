// recurrent: gru, lstm or rnn in one direction over a whole sequence; tools/ops/recurrentRule.ts has the arithmetic.
// params: the blocks (simd/gemm.ts) of the weights over InC, then of the recurrent weights over Units, each gate
// padded to whole blocks of eight outputs; Tables: tools/ops/gateTables.ts.
//
//   scratch, in int16:  ├ fromX: gates · row ┼ fromH: gates · row ┼ h Q0.15 ┼ c ┼ h as stored ┼ r ∘ h as stored ┼ x ┤
//   row = Units rounded up to 8; the last four rows and x have 8 more
//
// Invariant: every sum is exact in int32 (the packer sees to it); padding units compute, and are never stored.

import { Status, Step } from "../abi";
import { Recurrent, RecurrentFlag, RecurrentKernel } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, inImage } from "../memory";
import { blocksBytes } from "../numeric/blocks";
import { MAGIC_BITS, round4 } from "../numeric/requantize";
import { gateSums, gateValue, lookGates, nearest16, saturate16, TABLE_BYTES, times } from "../simd/gates";
import { MAX_AXIS } from "./conv2d";
import { MAX_K } from "./fullyConnected";

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
  const scratch = 2 * (2 * <u64>outputs + 4 * <u64>(row + 8) + <u64>(eights(inC) + 8));
  const declared = field(step, Step.ScratchBytes);
  if (declared < 0 || <u64>declared < scratch || !canWrite(step, Step.Scratch, scratch)) return Status.Scratch;
  return Status.Ok;
}

/** int8 or int16 values as int16. */
function widened(to: usize, from: usize, count: i32, wide: bool, shift: i32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const value = wide ? <i32>load<i16>(from + (i << 1)) : <i32>load<i8>(from + i) << shift;
    store<i16>(to + (i << 1), <i16>value);
  }
}

/** Q0.15 as stored: int16 in `to`, for the next product; whole vectors. */
function keep(to: usize, from: usize, count: i32, inverse: f32, zero: i32, wide: bool): void {
  // int16 is Q0.15 itself
  if (wide) memory.copy(to, from, <usize>count << 1);
  else for (const end = from + (<usize>count << 1); from < end; from += 2, to += 2) {
    store<i16>(to, <i16>storedOf(<i32>load<i16>(from), inverse, zero, wide));
  }
}

// @ts-ignore: decorator
@inline
function storedOf(h: i32, inverse: f32, zero: i32, wide: bool): i32 {
  // zero is at most 8 bits: what saturated at int16 saturates at int8 after it, too
  const q = nearest16(<f32>h * inverse) + zero;
  return wide ? saturate16(q) : min<i32>(max<i32>(q, -128), 127);
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
    state = rowBytes + 16;
  const hiddenWide = (flags & RecurrentFlag.HiddenWide) != 0,
    yWide = (flags & RecurrentFlag.YWide) != 0,
    cellWide = (flags & RecurrentFlag.CellWide) != 0,
    starts = (flags & RecurrentFlag.Starts) != 0;
  const scale = fieldF32(step, Recurrent.HiddenScale),
    inverse = fieldF32(step, Recurrent.HiddenInverse),
    zero = field(step, Recurrent.HiddenZero);
  const yInverse = fieldF32(step, Recurrent.YInverse),
    yZero = field(step, Recurrent.YZero),
    bits = field(step, Recurrent.CellBits);
  const fromX = address(step, Step.Scratch),
    fromH = fromX + <usize>gates * rowBytes,
    h = fromH + <usize>gates * rowBytes,
    c = h + state,
    kept = c + state,
    reset = kept + state,
    cells = reset + state;
  const tables = address(step, Recurrent.Tables);
  const gateBlocks = row >> 3,
    blocks = gates * gateBlocks,
    xPairs = (inC + 1) >> 1,
    hPairs = (units + 1) >> 1;
  const params = address(step, Step.Params);
  const hiddenBytes = <usize>units << <usize>hiddenWide,
    cellBytes = <usize>units << <usize>cellWide;
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  const xStep = <usize>field(step, Recurrent.XTimeStride),
    yStep = <usize>field(step, Recurrent.YTimeStride) << <usize>yWide;
  const last = <usize>(time - 1);
  const reverse = (flags & RecurrentFlag.Reverse) != 0;
  for (let b: usize = 0; b < <usize>field(step, Recurrent.Batch); b++) {
    memory.fill(h, 0, 4 * state);
    if (starts) {
      widened(kept, address(step, Step.Input2) + b * hiddenBytes, units, hiddenWide, 0);
      if (kernel == RecurrentKernel.Lstm) {
        widened(c, address(step, Recurrent.CellIn) + b * cellBytes, units, cellWide, 8);
      }
    } else {
      for (let i: usize = 0; i < <usize>units; i++) store<i16>(kept + (i << 1), <i16>zero);
    }
    const xRow = x + b * <usize>field(step, Recurrent.XBatchStride);
    const yRow = y + ((b * <usize>field(step, Recurrent.YBatchStride)) << <usize>yWide);
    for (let i: usize = 0; i <= last; i++) {
      const t = reverse ? last - i : i;
      widened(cells, xRow + t * xStep, inC, false, 0);
      const recurrent = gateSums(cells, xPairs, params, blocks, fromX, false);
      if (kernel == RecurrentKernel.Rnn || kernel == RecurrentKernel.Lstm) {
        gateSums(kept, hPairs, recurrent, blocks, fromX, true);
        if (kernel == RecurrentKernel.Rnn) {
          lookGates(fromX, row, tables + TABLE_BYTES);
          memory.copy(h, fromX, rowBytes);
        } else {
          lookGates(fromX, 2 * row, tables);
          lookGates(fromX + 2 * rowBytes, row, tables + TABLE_BYTES);
          lookGates(fromX + 3 * rowBytes, row, tables);
          lstmCell(h, c, fromX, row, bits, field(step, Recurrent.CellClip), cellWide, tables + TABLE_BYTES);
        }
      } else {
        // h in Q0.15 from what was kept
        if (hiddenWide) memory.copy(h, kept, rowBytes);
        else for (let u: usize = 0; u < rowBytes; u += 2) {
          store<i16>(h + u, <i16>nearest16(<f32>(<i32>load<i16>(kept + u) - zero) * scale));
        }
        const after = kernel == RecurrentKernel.GruResetAfter;
        gateSums(kept, hPairs, recurrent, after ? blocks : 2 * gateBlocks, fromH, false);
        addRows(fromX, fromH, 2 * row);
        lookGates(fromX, 2 * row, tables);
        const r = fromX + rowBytes,
          n = r + rowBytes;
        if (after) {
          multiplyRows(fromH + 2 * rowBytes, r, row);
          addRows(n, fromH + 2 * rowBytes, row);
        } else {
          multiplyRows(r, h, row);
          keep(reset, r, row, inverse, zero, hiddenWide);
          const newBlocks = recurrent + <usize>blocksBytes(2 * row, hPairs, false);
          gateSums(reset, hPairs, newBlocks, gateBlocks, n, true);
        }
        lookGates(n, row, tables + TABLE_BYTES);
        mixRows(h, fromX, n, row);
      }
      keep(kept, h, row, inverse, zero, hiddenWide);
      const to = yRow + t * yStep;
      let u: usize = 0;
      if (ASC_FEATURE_SIMD) {
        if (!yWide) {
          const scales = f32x4.splat(yInverse),
            offset = i32x4.splat(MAGIC_BITS - yZero);
          for (; u + 8 <= <usize>units; u += 8) {
            const low = v128.load16x4_s(h + (u << 1)),
              high = v128.load16x4_s(h + (u << 1), 8);
            const words = i16x8.narrow_i32x4_s(round4(low, scales, offset), round4(high, scales, offset));
            v128.store64_lane(to + u, i8x16.narrow_i16x8_s(words, words), 0);
          }
        }
      }
      for (; u < <usize>units; u++) {
        const value = storedOf(<i32>load<i16>(h + (u << 1)), yInverse, yZero, yWide);
        if (yWide) store<i16>(to + (u << 1), <i16>value);
        else store<i8>(to + u, <i8>value);
      }
    }
    narrowed(address(step, Recurrent.HiddenOut) + b * hiddenBytes, kept, units, hiddenWide, 0);
    if (kernel == RecurrentKernel.Lstm) {
      narrowed(address(step, Recurrent.CellOut) + b * cellBytes, c, units, cellWide, 8);
    }
  }
}

/** The other way round from `widened`. */
function narrowed(to: usize, from: usize, count: i32, wide: bool, shift: i32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const value = <i32>load<i16>(from + (i << 1));
    if (wide) store<i16>(to + (i << 1), <i16>value);
    else store<i8>(to + i, <i8>(value >> shift));
  }
}

/** a = a + b, saturated. */
function addRows(a: usize, b: usize, count: i32): void {
  const end = a + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    for (; a < end; a += 16, b += 16) v128.store(a, i16x8.add_sat_s(v128.load(a), v128.load(b)));
  } else {
    for (; a < end; a += 2, b += 2) store<i16>(a, <i16>saturate16(<i32>load<i16>(a) + <i32>load<i16>(b)));
  }
}

/** a = a ∘ b. */
function multiplyRows(a: usize, b: usize, count: i32): void {
  const end = a + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    for (; a < end; a += 16, b += 16) v128.store(a, i16x8.q15mulr_sat_s(v128.load(a), v128.load(b)));
  } else {
    for (; a < end; a += 2, b += 2) store<i16>(a, <i16>times(<i32>load<i16>(a), <i32>load<i16>(b)));
  }
}

/** h = z ∘ h + (32767 − z) ∘ n. */
function mixRows(h: usize, z: usize, n: usize, count: i32): void {
  const end = h + (<usize>count << 1);
  if (ASC_FEATURE_SIMD) {
    const one = i16x8.splat(32767);
    for (; h < end; h += 16, z += 16, n += 16) {
      const keeps = v128.load(z);
      const old = i16x8.q15mulr_sat_s(keeps, v128.load(h)),
        fresh = i16x8.q15mulr_sat_s(i16x8.sub(one, keeps), v128.load(n));
      v128.store(h, i16x8.add_sat_s(old, fresh));
    }
  } else {
    for (; h < end; h += 2, z += 2, n += 2) {
      const keeps = <i32>load<i16>(z);
      const mixed = times(keeps, <i32>load<i16>(h)) + times(32767 - keeps, <i32>load<i16>(n));
      store<i16>(h, <i16>saturate16(mixed));
    }
  }
}

/** c = f ∘ c + i · g, h = o ∘ tanh(c); `gates` holds i, f, g, o. */
function lstmCell(h: usize, c: usize, gates: usize, row: i32, bits: i32, clip: i32, wide: bool, table: usize): void {
  const rowBytes = <usize>row << 1,
    shift = 30 - bits,
    half = 1 << (29 - bits),
    up = 12 - bits,
    down = bits - 12;
  for (const end = gates + rowBytes; gates < end; gates += 2, c += 2, h += 2) {
    const added = (<i32>load<i16>(gates) * <i32>load<i16>(gates + 2 * rowBytes) + half) >> shift;
    const held = times(<i32>load<i16>(gates + rowBytes), <i32>load<i16>(c));
    const cell = max<i32>(-clip, min<i32>(clip, saturate16(held + saturate16(added))));
    store<i16>(c, <i16>(wide ? cell : min<i32>((cell + 128) >> 8, 127) << 8));
    const scaled = up >= 0 ? cell << up : (cell + (1 << (down - 1))) >> down;
    store<i16>(h, <i16>times(<i32>load<i16>(gates + 3 * rowBytes), gateValue(saturate16(scaled), table)));
  }
}
