// conv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ x[b, oy·sH + ky·dH − top, ox·sW + kx·dW − left, c] · w[n, ky, kx, c]).
// Cells outside the picture are the input's zero point, which the packer has folded into the bias.
// params: blocks (simd/gemm.ts) whose K axis is cut into segments: a kernel row, or with a dilated
// width a kernel cell, each padded to an even length.
// Short segments (first layers: few channels) are gathered into patches, so that a tile may span rows.
// Invariant: scratch is the row ring, the segments' addresses, then four patches if segments are
// short; pointwise layers use four widened rows and one address only.

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams, hasScratch } from "../memory";
import { blocksBytes, rowsScalar } from "../numeric/blocks";
import { requantize } from "../numeric/requantize";
import { gemmReckon, gemmSetup, widenBlocks } from "../simd/gemm";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";
import { anyTile1, anyTile4, takesInt8 } from "../simd/tiles";
import { checkConv2d16, runConv2d16 } from "./conv2d16";
import { checkWinograd, runWinograd } from "./conv2dWinograd";
import { isRelaxed, takesStrips, windowsRelaxed, withStrips } from "./conv2dRelaxed";
import { checkConv2dFewBits, isFewBits, runConv2dFewBits } from "./fewBits";
import { MAX_K, rowsTimesBlocks, widenedRows } from "./fullyConnected";
import { checkSparseStep, runSparseStep } from "./sparseStep";

/** Largest size of any one axis: keeps every 32-bit index sum below 2^31. */
export const MAX_AXIS: i32 = 1 << 20;

export function checkConv2d(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel == ConvKernel.Int16 || kernel == ConvKernel.Int16Narrow) return checkConv2d16(step);
  if (isFewBits(kernel)) return checkConv2dFewBits(step);
  const sparse = kernel == ConvKernel.Sparse || kernel == ConvKernel.SparseNibbles;
  const known = kernel == ConvKernel.Int8 || kernel == ConvKernel.Int8Wide || kernel == ConvKernel.Winograd;
  if (!known && !sparse && !isRelaxed(kernel)) return Status.Kernel;
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  if (sparse) return checkSparseStep(step);
  const segment = segmentCells(step);
  const count = extent(segmentCount(step), (segment + 1) >> 1);
  if (count > <u64>(MAX_K / 2)) return Status.Shape;
  if (!hasParams(step, blocksBytes(field(step, Conv.OutC), <i32>count, kernel == ConvKernel.Int8Wide)))
    return Status.Params;
  if (kernel == ConvKernel.Winograd) return checkWinograd(step);
  return hasScratch(step, scratchBytes(step)) ? Status.Ok : Status.Scratch;
}

/** Dimensions, input and output of any of the convolutions, whose input and output cells are int8 or int16. */
export function checkConvShape(step: usize, cellBytes: i32 = 1): i32 {
  if (!allWithin(step, Conv.Batch, Conv.DilationW, 1, MAX_AXIS)) return Status.Shape;
  if (!allWithin(step, Conv.PadTop, Conv.PadLeft, 0, MAX_AXIS)) return Status.Shape;
  const most = cellBytes == 1 ? 127 : 32767;
  if (!allWithin(step, Conv.InZero, Conv.Max, -1 - most, most)) return Status.Shape;
  if (extent(field(step, Conv.KernelH), field(step, Conv.DilationH)) > <u64>MAX_AXIS) return Status.Shape;
  if (extent(field(step, Conv.KernelW), field(step, Conv.DilationW)) > <u64>MAX_AXIS) return Status.Shape;
  if (extent(field(step, Conv.OutH), field(step, Conv.StrideH)) > <u64>MAX_AXIS) return Status.Shape;
  if (extent(field(step, Conv.OutW), field(step, Conv.StrideW)) > <u64>MAX_AXIS) return Status.Shape;
  const input = extent(field(step, Conv.Batch), field(step, Conv.InH), field(step, Conv.InW), field(step, Conv.InC));
  const output = extent(
    field(step, Conv.Batch),
    field(step, Conv.OutH),
    field(step, Conv.OutW),
    field(step, Conv.OutC),
  );
  if (!canRead(step, Step.Input, input * <u64>cellBytes)) return Status.Read;
  return canWrite(step, Step.Output, output * <u64>cellBytes) ? Status.Ok : Status.Write;
}

/** Pixels of a padded row that output columns 0 … OutW − 1 touch. */
export function rowPixels(step: usize): i32 {
  return (
    (field(step, Conv.OutW) - 1) * field(step, Conv.StrideW) +
    (field(step, Conv.KernelW) - 1) * field(step, Conv.DilationW) +
    1
  );
}

/** Rows that one output row touches, those between dilated ones included. */
export function rowsHeld(step: usize): i32 {
  return (field(step, Conv.KernelH) - 1) * field(step, Conv.DilationH) + 1;
}

function segmentCells(step: usize): i32 {
  const perCell = field(step, Conv.DilationW) > 1;
  const cells = perCell ? <u64>field(step, Conv.InC) : extent(field(step, Conv.KernelW), field(step, Conv.InC));
  return <i32>min<u64>(cells, <u64>(MAX_K + 1));
}

function segmentCount(step: usize): i32 {
  const rows = field(step, Conv.KernelH);
  return field(step, Conv.DilationW) > 1 ? <i32>min<u64>(extent(rows, field(step, Conv.KernelW)), <u64>MAX_K) : rows;
}

/** Every output pixel is made of the input pixel in its place. */
export function isPointwise(step: usize): bool {
  // all of the first four are 1 and more
  return (
    (field(step, Conv.KernelH) | field(step, Conv.KernelW) | field(step, Conv.StrideH) | field(step, Conv.StrideW)) == 1 &&
    (field(step, Conv.PadTop) | field(step, Conv.PadLeft)) == 0 &&
    field(step, Conv.InH) == field(step, Conv.OutH) &&
    field(step, Conv.InW) == field(step, Conv.OutW)
  );
}

function scratchBytes(step: usize): u64 {
  return withStrips(field(step, Step.Kernel), <u64>pairsOf(step), field(step, Conv.OutC), baseBytes(step));
}

/** What every build needs. */
function baseBytes(step: usize): u64 {
  return isPointwise(step) ? widenedRows(field(step, Conv.InC)) : windowsBytes(step);
}

/** The ring, the segments' addresses, and patches where segments are short. */
function windowsBytes(step: usize): u64 {
  const rows = <u64>rowsHeld(step) * slotBytes16(rowPixels(step), field(step, Conv.InC)) + <u64>segmentCount(step) * 4;
  return gathers(step) ? rows + 16 + 4 * <u64>patchBytes(step) : rows;
}

/** Segments this short are gathered. */
const MOST_GATHERED: i32 = 8;

function gathers(step: usize): bool {
  return segmentCells(step) <= MOST_GATHERED;
}

/** Bytes of one gathered patch, with room for the vector store that runs past its end. */
function patchBytes(step: usize): i32 {
  return (segmentCount(step) * ((segmentCells(step) + 1) >> 1) * 4 + 31) & ~15;
}

export function runConv2d(step: usize): void {
  const kernel = field(step, Step.Kernel);
  if (ASC_FEATURE_SIMD && kernel == ConvKernel.Winograd) runWinograd(step);
  else if (isFewBits(kernel)) runConv2dFewBits(step);
  else if (kernel == ConvKernel.Int16 || kernel == ConvKernel.Int16Narrow) runConv2d16(step);
  else if (kernel == ConvKernel.Sparse || kernel == ConvKernel.SparseNibbles) runSparseStep(step);
  else if (kernel == ConvKernel.Int8Wide) runInt8<i32>(step, address(step, Step.Params));
  else if (ASC_FEATURE_SIMD && !takesInt8<f32>() && hasRoom(step)) {
    const room = address(step, Step.Scratch) + <usize>roomAt(step);
    widenBlocks(address(step, Step.Params), room, pairsOf(step), field(step, Conv.OutC));
    runInt8<i32>(step, room);
  } else runInt8<f32>(step, address(step, Step.Params));
}

/** All pairs of an output's inputs. */
function pairsOf(step: usize): i32 {
  return ((segmentCells(step) + 1) >> 1) * segmentCount(step);
}

/** Where in scratch lies what not every step and build needs: strips and their weights, or weights widened to int16. */
function roomAt(step: usize): u64 {
  return (baseBytes(step) + 15) & ~15;
}

/** Whether the packer gave room for weights widened to int16. */
function hasRoom(step: usize): bool {
  return <u64>field(step, Step.ScratchBytes) >= roomAt(step) + blocksBytes(field(step, Conv.OutC), pairsOf(step), true);
}

/** WIDE: an integer type for int16 weights, a float type for int8 ones, which lie at `blocks`. */
export function runInt8<WIDE>(step: usize, blocks: usize): void {
  if (ASC_FEATURE_SIMD) {
    if (isPointwise(step)) {
      pointwise<WIDE>(step, blocks);
      return;
    }
    if (ASC_FEATURE_RELAXED_SIMD && !isInteger<WIDE>()) {
      const pairs = (segmentCells(step) + 1) >> 1, count = segmentCount(step);
      if (takesStrips(field(step, Step.Kernel), field(step, Conv.OutW), pairs, count)) {
        const strips = address(step, Step.Scratch) + <usize>roomAt(step);
        windowsRelaxed(step, rowsHeld(step), rowPixels(step), pairs, count, strips);
        return;
      }
    }
    windows(step, blocks, isInteger<WIDE>(), takesInt8<WIDE>());
  } else {
    scalar<WIDE>(step);
  }
}

function pointwise<WIDE>(step: usize, blocks: usize): void {
  rowsTimesBlocks<WIDE>(
    field(step, Step.Kernel),
    address(step, Step.Input),
    address(step, Step.Output),
    blocks,
    address(step, Step.Scratch),
    field(step, Conv.Batch) * field(step, Conv.OutH) * field(step, Conv.OutW),
    field(step, Conv.InC),
    field(step, Conv.OutC),
    field(step, Conv.OutZero),
    field(step, Conv.Min),
    field(step, Conv.Max),
  );
}

/** `int8`: the row ring holds int8 cells, not int16 ones. */
function windows(step: usize, blocks: usize, wide: bool, int8: bool): void {
  const cellLog: usize = int8 ? 0 : 1;
  const inC = field(step, Conv.InC);
  const outH = field(step, Conv.OutH),
    outW = field(step, Conv.OutW),
    outC = field(step, Conv.OutC);
  const kernelH = field(step, Conv.KernelH),
    kernelW = field(step, Conv.KernelW);
  const strideH = field(step, Conv.StrideH),
    dilationH = field(step, Conv.DilationH),
    dilationW = field(step, Conv.DilationW);
  const padTop = field(step, Conv.PadTop);
  const held = rowsHeld(step),
    pixels = rowPixels(step);
  const slot = <usize>slotBytes16(pixels, inC);
  const scratch = address(step, Step.Scratch);
  const segments = scratch + <usize>held * slot;
  const cellBytes = (<usize>inC) << cellLog;
  const pixelStep = <usize>field(step, Conv.StrideW) * cellBytes;
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  const pairs = (segmentCells(step) + 1) >> 1, count = segmentCount(step);
  const segmentBytes = (<usize>pairs) << (cellLog + 1);
  const gather = gathers(step);
  const least = outW > 3 ? 3 : 4;
  // One address more than there are segments: a gathered tile has its patches as the one segment.
  const patchList = segments + ((<usize>count) << 2);
  const patches = patchList + 16;
  const patchStep = <usize>patchBytes(step), patchEnd = patches + 4 * patchStep;
  let patch = patches;
  let tileOut = address(step, Step.Output);
  if (gather) store<u32>(patchList, <u32>patches);
  gemmSetup(
    gather ? patchList : segments,
    gather ? 1 : count,
    gather ? pairs * count : pairs,
    outC,
    field(step, Conv.OutZero),
    field(step, Conv.Min),
    field(step, Conv.Max),
  );
  if (wide) gemmReckon<i32>(blocks);
  else gemmReckon<f32>(blocks);
  ringSetup(
    scratch,
    held,
    slot,
    pixels,
    field(step, Conv.InH),
    field(step, Conv.InW),
    inC,
    field(step, Conv.PadLeft),
    field(step, Conv.InZero),
  );
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++) {
    ringStart(input, -padTop);
    for (let oy = 0; oy < outH; oy++) {
      const top = oy * strideH - padTop;
      if (int8) ringAdvance<i8>(top, top + held - 1);
      else ringAdvance<i16>(top, top + held - 1);
      let segment = segments;
      for (let ky = 0; ky < kernelH; ky++) {
        const row = ringRow(top + ky * dilationH);
        if (dilationW == 1) {
          store<u32>(segment, <u32>row);
          segment += 4;
        } else {
          for (let kx = 0; kx < kernelW; kx++) {
            store<u32>(segment, <u32>(row + <usize>(kx * dilationW) * cellBytes));
            segment += 4;
          }
        }
      }
      if (gather) {
        for (let ox = 0; ox < outW; ox++) {
          gatherPatch(patch, segments, segment, <usize>ox * pixelStep, segmentBytes);
          patch += patchStep;
          if (patch == patchEnd) {
            patch = patches;
            anyTile4(wide, int8, 0, patchStep, blocks, tileOut);
            tileOut += <usize>(outC << 2);
          }
        }
        output += <usize>(outW * outC);
      } else {
        // The last tile starts early and writes a pixel again, with the same bytes; one pixel or two cost less alone.
        let left = outW;
        let at: usize = 0;
        for (; left >= least; left -= 4) {
          if (left == 3) {
            at -= pixelStep;
            output -= <usize>outC;
          }
          anyTile4(wide, int8, at, pixelStep, blocks, output);
          at += 4 * pixelStep;
          output += <usize>(outC << 2);
        }
        for (; left > 0; left--, at += pixelStep, output += <usize>outC) anyTile1(wide, int8, at, blocks, output);
      }
    }
    input += inputBytes;
  }
  if (gather) {
    for (let left = patches; left < patch; left += patchStep) {
      anyTile1(wide, int8, left - patches, blocks, tileOut);
      tileOut += <usize>outC;
    }
  }
}

/** Copies the segments of one pixel behind one another. */
function gatherPatch(to: usize, segments: usize, segmentsEnd: usize, shift: usize, bytes: usize): void {
  for (; segments < segmentsEnd; segments += 4) {
    const from = <usize>load<u32>(segments) + shift;
    for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
    to += bytes;
  }
}

/** Two pixels at a time: where they lie if each output is of one input pixel, else as patches in the scratch. */
function scalar<WIDE>(step: usize): void {
  const outW = field(step, Conv.OutW), outC = field(step, Conv.OutC);
  const zero = field(step, Conv.OutZero), min = field(step, Conv.Min), max = field(step, Conv.Max);
  const blocks = address(step, Step.Params), scratch = address(step, Step.Scratch);
  const all = field(step, Conv.Batch) * field(step, Conv.OutH) * outW;
  let input = address(step, Step.Input), output = address(step, Step.Output);
  if (isPointwise(step)) {
    const inC = field(step, Conv.InC);
    rowsScalar<WIDE>(input, <usize>inC, all, output, blocks, inC, outC, zero, min, max);
    return;
  }
  const k = ((segmentCells(step) + 1) & ~1) * segmentCount(step);
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * field(step, Conv.InC));
  let ox = 0, oy = 0;
  for (let pixel = 0; pixel < all; pixel += 2) {
    const count = pixel + 1 < all ? 2 : 1;
    for (let i = 0; i < count; i++) {
      makePatch(step, input, oy, ox, scratch + <usize>(i * k));
      if (++ox == outW) {
        ox = 0;
        if (++oy == field(step, Conv.OutH)) {
          oy = 0;
          input += inputBytes;
        }
      }
    }
    rowsScalar<WIDE>(scratch, <usize>k, count, output, blocks, k, outC, zero, min, max);
    output += <usize>(count * outC);
  }
}

/** The cells that one output pixel is made of, segment by segment; what pads an odd one is not written. */
function makePatch(step: usize, input: usize, oy: i32, ox: i32, to: usize): void {
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW), inC = field(step, Conv.InC);
  const kernelW = field(step, Conv.KernelW), dilationW = field(step, Conv.DilationW);
  const inZero = field(step, Conv.InZero);
  const cells = dilationW > 1 ? 1 : kernelW;
  const left = ox * field(step, Conv.StrideW) - field(step, Conv.PadLeft);
  let y = oy * field(step, Conv.StrideH) - field(step, Conv.PadTop);
  for (let ky = 0; ky < field(step, Conv.KernelH); ky++, y += field(step, Conv.DilationH)) {
    for (let kx = 0; kx < kernelW; kx += cells) {
      const x = left + kx * dilationW;
      // of the segment's cells those from `first` to `last` lie in the picture
      let last = inW - x < cells ? inW - x : cells;
      if (<u32>y >= <u32>inH || last < 0) last = 0;
      let first = x < 0 ? -x : 0;
      if (first > last) first = last;
      const start = <usize>(first * inC), end = <usize>(last * inC), all = <usize>(cells * inC);
      if (start > 0) memory.fill(to, <u8>inZero, start);
      if (start < end) memory.copy(to + start, input + <usize>((y * inW + x) * inC) + start, end - start);
      if (end < all) memory.fill(to + end, <u8>inZero, all - end);
      to += (all + 1) & ~1;
    }
  }
}
