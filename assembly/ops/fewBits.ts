// conv2d and fullyConnected with weights of four bits and fewer: out = requantize(start[n] + Σ x·u + offset[n] · Σ x), or
// with groups of inputs Σg f32(s_g) · m_g in float32, in ascending order. numeric/fewBits.ts draws the params.
// A fullyConnected is a convolution of one row of pixels by a kernel of one cell. Input cells outside the picture are
// the input's zero point, which the packer has folded into the start.
// Where the packer left room behind it for all weights at eight bits, they are laid out anew there in every run, for the tiles
// of int8 and seven-bit weights, which many pixels pay for; else codes are unpacked tile by tile.
// Invariant: scratch is the row ring (pointwise: rows of int16, where the machine wants them), the segments' addresses, then
// four bytes for every group and pixel. Windows need input channels in whole quads, as they may start at any pixel.

import { Conv, ConvKernel, Dense, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams, hasScratch } from "../memory";
import { bitsOf, codeAt, GROUP_HEAD, GROUPS_HEAD, groupsRow, HEAD, TABLE_BYTES, vectorsOf } from "../numeric/fewBits";
import { blocksBytes } from "../numeric/blocks";
import { requantize, requantizeReal } from "../numeric/requantize";
import { fewBlocks, fewOne, fewSetup, fewSeven, fewTakesInt8, fewTile, fewWiden, tilePixels } from "../simd/fewBits";
import { widenQuads } from "../simd/fewBitsDot";
import { gemmSetup } from "../simd/gemm";
import { pixelsByStrips } from "../simd/gemmStrips";
import { widenInQuads } from "../simd/lanes";
import { narrow, words } from "../simd/machine";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";
import { stripsBytes, stripsEnd } from "../simd/strips";
import { checkConvShape, isPointwise, rowPixels, rowsHeld, runInt8 } from "./conv2d";
import { takesStrips, windowsRelaxed } from "./conv2dRelaxed";
import { MAX_K, rowsTimesBlocks } from "./fullyConnected";

/** Whether a kernel code is one of these. Inline, so that a compiled model leaves out what it has none of. */
// @ts-ignore: decorator
@inline
export function isFewBits(kernel: i32): bool {
  return kernel >= ConvKernel.Int4 && kernel <= ConvKernel.Int4Groups;
}

function paramBytes(kernel: i32, segments: i32, cells: i32, outC: i32, groupSize: i32): u64 {
  const blocks = <u64>((outC + 7) >> 3), count = <u64>segments;
  if (kernel == ConvKernel.Int4Groups) return blocks * (GROUPS_HEAD + count * groupsRow(cells, groupSize));
  return (kernel == ConvKernel.Codebook ? TABLE_BYTES : 0) + blocks * (HEAD + count * <u64>vectorsOf(cells, bitsOf(kernel)) * 16);
}

/** The pairs of a tile's groups, or four blocks of codes of fewer than four bits, unpacked. */
function room(kernel: i32, segments: i32, cells: i32, size: i32): u64 {
  if (kernel == ConvKernel.Int4Groups) return <u64>segments * <u64>((cells + size - 1) / size) * 20;
  return bitsOf(kernel) == 4 ? 0 : <u64>segments * <u64>vectorsOf(cells, 4) * 64;
}

/** Whether the step's scratch holds, behind `direct` bytes, all weights at eight bits, in blocks or in strips. */
function isRoomy(step: usize, direct: u64, cells: i32, segments: i32, outC: i32): bool {
  const pairs = (cells >> 1) * segments, more = max(blocksBytes(outC, pairs, false), stripsBytes(<u64>pairs, outC, true));
  return (cells & 3) == 0 && cells > 8 && <u64>field(step, Step.ScratchBytes) >= behind(direct) + more;
}

function behind(direct: u64): u64 {
  return (direct + 15) & ~15;
}

/** Bytes of one widened row, of whole vectors. */
function rowBytes(k: i32): i32 {
  return (((k + 15) & ~15) + 8) * 2;
}

export function checkConv2dFewBits(step: usize): i32 {
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  const kernel = field(step, Step.Kernel), inC = field(step, Conv.InC);
  const size = kernel == ConvKernel.Int4Groups ? field(step, Conv.GroupSize) : 16;
  const pointwise = isPointwise(step), perCell = field(step, Conv.DilationW) > 1;
  if (!validGroup(size) || (!pointwise && (inC & 3) != 0)) return Status.Shape;
  const row = extent(field(step, Conv.KernelW), inC), cells = perCell ? <u64>inC : row;
  const segments = perCell ? extent(field(step, Conv.KernelH), field(step, Conv.KernelW)) : <u64>field(step, Conv.KernelH);
  if (row > <u64>MAX_K || segments > <u64>MAX_K || segments * cells > <u64>MAX_K) return Status.Shape;
  const count = <i32>segments, length = <i32>cells;
  if (!hasParams(step, paramBytes(kernel, count, length, field(step, Conv.OutC), size))) return Status.Params;
  return hasScratch(step, convBytes(step, count, length, size)) ? Status.Ok : Status.Scratch;
}

/** Scratch of a convolution without room for weights at eight bits. */
function convBytes(step: usize, segments: i32, cells: i32, size: i32): u64 {
  const inC = field(step, Conv.InC);
  const ring = isPointwise(step) ? <u64>rowBytes(inC) * 5 : <u64>rowsHeld(step) * slotBytes16(rowPixels(step), inC);
  return ring + <u64>segments * 4 + 32 + room(field(step, Step.Kernel), segments, cells, size);
}

function denseBytes(kernel: i32, k: i32, size: i32): u64 {
  return <u64>rowBytes(k) * 5 + 32 + room(kernel, 1, k, size);
}

/** Sums of a group's inputs must fit in int16. */
function validGroup(size: i32): bool {
  return size >= 16 && size <= 128 && (size & 15) == 0;
}

export function checkDenseFewBits(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  const rows = field(step, Dense.Rows), k = field(step, Dense.InC), n = field(step, Dense.OutC);
  const size = kernel == ConvKernel.Int4Groups ? field(step, Dense.GroupSize) : 16;
  if (rows < 1 || k < 1 || k > MAX_K || n < 1 || !validGroup(size)) return Status.Shape;
  if (!allWithin(step, Dense.OutZero, Dense.Max, -128, 127)) return Status.Shape;
  if (!allWithin(step, Dense.InZero, Dense.InZero, -128, 127)) return Status.Shape;
  if (!canRead(step, Step.Input, extent(rows, k))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(rows, n))) return Status.Write;
  if (!hasParams(step, paramBytes(kernel, 1, k, n, size))) return Status.Params;
  return hasScratch(step, denseBytes(kernel, k, size)) ? Status.Ok : Status.Scratch;
}

export function runDenseFewBits(step: usize): void {
  const k = field(step, Dense.InC), n = field(step, Dense.OutC), rows = field(step, Dense.Rows);
  const size = field(step, Step.Kernel) == ConvKernel.Int4Groups ? field(step, Dense.GroupSize) : 0;
  const input = address(step, Step.Input), output = address(step, Step.Output);
  const zero = field(step, Dense.OutZero), min = field(step, Dense.Min), max = field(step, Dense.Max);
  const inZero = field(step, Dense.InZero);
  if (ASC_FEATURE_SIMD) rowsTimes(step, input, output, rows, k, n, zero, min, max, size, inZero, denseBytes(field(step, Step.Kernel), k, size));
  else scalar(step, input, output, 1, rows, k, 1, rows, n, 1, 1, 1, 1, 1, 1, 0, 0, inZero, zero, min, max, size);
}

export function runConv2dFewBits(step: usize): void {
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW), inC = field(step, Conv.InC);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW), outC = field(step, Conv.OutC);
  const size = field(step, Step.Kernel) == ConvKernel.Int4Groups ? field(step, Conv.GroupSize) : 0;
  const inZero = field(step, Conv.InZero), zero = field(step, Conv.OutZero);
  const min = field(step, Conv.Min), max = field(step, Conv.Max), batch = field(step, Conv.Batch);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  if (ASC_FEATURE_SIMD && isPointwise(step)) {
    rowsTimes(step, input, output, batch * outH * outW, inC, outC, zero, min, max, size, inZero, convBytes(step, 1, inC, size));
    return;
  }
  if (ASC_FEATURE_SIMD && windowsWidened(step, size)) return;
  for (let b = 0; b < batch; b++) {
    if (!ASC_FEATURE_SIMD) {
      scalar(
        step, input, output, inH, inW, inC, outH, outW, outC,
        field(step, Conv.KernelH), field(step, Conv.KernelW), field(step, Conv.StrideH), field(step, Conv.StrideW),
        field(step, Conv.DilationH), field(step, Conv.DilationW), field(step, Conv.PadTop), field(step, Conv.PadLeft),
        inZero, zero, min, max, size,
      );
    } else {
      windows(step, input, output, size);
    }
    input += <usize>(inH * inW * inC);
    output += <usize>(outH * outW * outC);
  }
}

/** A step of windows whose scratch is roomy, as one of int8 or seven-bit weights. */
function windowsWidened(step: usize, size: i32): bool {
  const perCell = field(step, Conv.DilationW) > 1, inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  const cells = perCell ? inC : field(step, Conv.KernelW) * inC;
  const count = field(step, Conv.KernelH) * (perCell ? field(step, Conv.KernelW) : 1);
  const direct = convBytes(step, count, cells, size), kernel = field(step, Step.Kernel);
  if (size || !isRoomy(step, direct, cells, count, outC)) return false;
  const scratch = address(step, Step.Scratch), to = scratch + <usize>behind(direct);
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (words || !takesStrips(kernel, field(step, Conv.OutW), cells >> 1, count)) return false;
  } else if (narrow) return false;
  fewSetup(kernel, scratch, count, cells, outC, 0, 0, 0, address(step, Step.Params), 0, 0, scratch);
  if (ASC_FEATURE_RELAXED_SIMD) windowsRelaxed(step, rowsHeld(step), rowPixels(step), cells >> 1, count, to);
  else {
    fewWiden(to);
    runInt8<f32>(step, to);
  }
  return true;
}

/** [rows, k] by the blocks → [rows, n]; `direct`: bytes of scratch without room for weights at eight bits. */
function rowsTimes(
  step: usize, input: usize, output: usize, rows: i32, k: i32, n: i32,
  zero: i32, min: i32, max: i32, size: i32, inZero: i32, direct: u64,
): void {
  const scratch = address(step, Step.Scratch), row = <usize>rowBytes(k), list = scratch + 5 * row;
  if (!size && isRoomy(step, direct, k, 1, n) && (ASC_FEATURE_RELAXED_SIMD ? rows >= 5 && !words : !narrow)) {
    const to = scratch + <usize>behind(direct);
    fewSetup(field(step, Step.Kernel), scratch, 1, k, n, zero, min, max, address(step, Step.Params), 0, 0, scratch);
    if (ASC_FEATURE_RELAXED_SIMD) {
      gemmSetup(scratch, 1, k >> 1, n, zero, min, max);
      fewSeven(stripsEnd(to));
      store<u32>(scratch, <u32>input);
      pixelsByStrips(rows, <usize>k, to, fewBlocks(), output, true);
    } else {
      fewWiden(to);
      rowsTimesBlocks<f32>(ConvKernel.Int8, input, output, to, scratch, rows, k, n, zero, min, max);
    }
    return;
  }
  fewSetup(field(step, Step.Kernel), list, 1, k, n, zero, min, max, address(step, Step.Params), size, inZero, list + 16);
  const pixels = tilePixels(), int8 = fewTakesInt8(), all = rows >= pixels, count = all ? pixels : 1;
  // the rows are read where they lie, or widened first
  store<u32>(list, int8 ? <u32>input : <u32>scratch);
  for (let r = 0; r < rows; r += count) {
    // The last tile starts early and writes some rows again, with the same bytes.
    const first = all && r + pixels > rows ? rows - pixels : r;
    const from = <usize>(first * k), to = output + <usize>(first * n);
    if (!int8) {
      for (let i = 0; i < count; i++) widenQuads(scratch + <usize>i * row, input + from + <usize>(i * k), k);
    }
    if (all) fewTile(int8 ? from : 0, int8 ? <usize>k : row, to);
    else fewOne(int8 ? from : 0, to);
  }
}

/** One picture. */
function windows(step: usize, input: usize, output: usize, size: i32): void {
  const inC = field(step, Conv.InC), outH = field(step, Conv.OutH), outW = field(step, Conv.OutW), outC = field(step, Conv.OutC);
  const kernelH = field(step, Conv.KernelH), kernelW = field(step, Conv.KernelW), padTop = field(step, Conv.PadTop);
  const dilationH = field(step, Conv.DilationH), dilationW = field(step, Conv.DilationW);
  const perCell = dilationW > 1, columns = perCell ? kernelW : 1, count = kernelH * columns;
  const held = rowsHeld(step), pixels = rowPixels(step), slot = <usize>slotBytes16(pixels, inC);
  const scratch = address(step, Step.Scratch), list = scratch + <usize>held * slot;
  const cellBytes = fewTakesInt8() ? <usize>inC : <usize>inC << 1, pixelStep = <usize>field(step, Conv.StrideW) * cellBytes;
  const cells = perCell ? inC : kernelW * inC;
  fewSetup(
    field(step, Step.Kernel), list, count, cells, outC, field(step, Conv.OutZero), field(step, Conv.Min), field(step, Conv.Max),
    address(step, Step.Params), size, field(step, Conv.InZero), (list + ((<usize>count) << 2) + 15) & ~15,
  );
  ringSetup(
    scratch, held, slot, pixels, field(step, Conv.InH), field(step, Conv.InW), inC, field(step, Conv.PadLeft), field(step, Conv.InZero),
  );
  const tile = tilePixels();
  widenInQuads(true);
  ringStart(input, -padTop);
  for (let oy = 0; oy < outH; oy++) {
    const top = oy * field(step, Conv.StrideH) - padTop;
    if (fewTakesInt8()) ringAdvance<i8>(top, top + held - 1);
    else ringAdvance<i16>(top, top + held - 1);
    let segment = list;
    for (let ky = 0; ky < kernelH; ky++) {
      const row = ringRow(top + ky * dilationH);
      for (let kx = 0; kx < columns; kx++, segment += 4) store<u32>(segment, <u32>(row + <usize>(kx * dilationW) * cellBytes));
    }
    if (outW < tile) {
      for (let ox = 0; ox < outW; ox++) fewOne(<usize>ox * pixelStep, output + <usize>(ox * outC));
    } else {
      for (let ox = 0; ox < outW; ox += tile) {
        const first = ox + tile > outW ? outW - tile : ox;
        fewTile(<usize>first * pixelStep, pixelStep, output + <usize>(first * outC));
      }
    }
    output += <usize>(outW * outC);
  }
  widenInQuads(false);
}

/** One picture, plainly. */
function scalar(
  step: usize, input: usize, output: usize, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, outC: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
  inZero: i32, zero: i32, min: i32, max: i32, size: i32,
): void {
  const kernel = field(step, Step.Kernel), bits = bitsOf(kernel), params = address(step, Step.Params);
  const blocks = kernel == ConvKernel.Codebook ? params + TABLE_BYTES : params;
  const columns = dilationW > 1 ? kernelW : 1, cells = dilationW > 1 ? inC : kernelW * inC, segments = kernelH * columns;
  const blockBytes = size
    ? GROUPS_HEAD + <usize>segments * <usize>groupsRow(cells, size)
    : HEAD + <usize>(segments * vectorsOf(cells, bits)) * 16;
  // counted, not divided: wazero 1.12 on arm64 takes (at / outC) % outW for 0
  let n = 0, ox = 0, oy = 0;
  for (let left = outH * outW * outC; left > 0; left--) {
    const lane = n & 7, word = (<usize>lane) << 2;
    const block = blocks + <usize>(n >> 3) * blockBytes;
    let acc = load<i32>(block + word), total: f32 = 0, offset = size ? 0 : load<i32>(block + 64 + word);
    let w = block + (size ? GROUPS_HEAD : HEAD);
    for (let s = 0; s < segments; s++) {
      const y = oy * strideH - padTop + (s / columns) * dilationH, edge = ox * strideW - padLeft + (s % columns) * dilationW;
      for (let first = 0, length = 0; first < cells; first += length) {
        length = size && cells - first > size ? size : cells - first;
        const head = w;
        if (size) {
          offset = <i32>load<i16>(head + 34 + word);
          w += GROUP_HEAD;
        }
        for (let k = 0; k < length; k++) {
          const x = edge + (first + k) / inC, outside = <u32>y >= <u32>inH || <u32>x >= <u32>inW;
          const value = outside ? inZero : <i32>load<i8>(input + <usize>((y * inW + x) * inC + (first + k) % inC));
          acc += value * (codeAt(kernel, w, params, lane, k) + offset);
        }
        w += <usize>(vectorsOf(length, bits) << 4);
        if (size) {
          acc -= inZero * <i32>load<i16>(head + 32 + word);
          total += <f32>acc * load<f32>(head + word);
          acc = 0;
        }
      }
    }
    const q = size ? requantizeReal(total, min, max, zero) : requantize(acc, load<f32>(block + 32 + word), min, max, zero);
    store<i8>(output++, <i8>q);
    if (++n == outC) {
      n = 0;
      if (++ox == outW) {
        ox = 0;
        oy++;
      }
    }
  }
}
