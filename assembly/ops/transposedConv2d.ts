// transposedConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ x[b, iy, ix, c] · w[n, ky, kx, c]) over all
// iy·sH + ky = oy + top and ix·sW + kx = ox + left; PadTop and PadLeft are what is cut from the full output.
//
// The outputs with (oy + top) mod sH = py and (ox + left) mod sW = px meet the same taps ky = py + j·sH,
// kx = px + i·sW: a phase. With oy + top = q·sH + py they read row q − j, so a phase is a convolution of
// stride 1 with the taps in reverse, and runs on the same tiles as conv2d.
//
// params: the blocks (simd/gemm.ts) of phase (0,0), (0,1), …; its segments are kernel rows, j descending,
// in each the cells i descending; the input's zero point is folded into each phase's own bias.
// Invariant: scratch is the row ring, the segments' addresses, then one phase's outputs of one row.

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { blocksBytes, weightAt } from "../numeric/blocks";
import { requantize } from "../numeric/requantize";
import { gemm1, gemm4, gemmReckon, gemmSetup } from "../simd/gemm";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";
import { copyRun } from "./copy";
import { checkConvShape } from "./conv2d";
import { MAX_K } from "./fullyConnected";

export function checkTransposedConv2d(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (<u32>kernel > <u32>ConvKernel.Int8Wide) return Status.Kernel;
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  if (field(step, Conv.DilationH) != 1 || field(step, Conv.DilationW) != 1) return Status.Shape;
  if (extent(field(step, Conv.KernelH), field(step, Conv.KernelW), field(step, Conv.InC)) > <u64>MAX_K)
    return Status.Shape;
  if (field(step, Conv.StrideH) > MAX_STRIDE || field(step, Conv.StrideW) > MAX_STRIDE) return Status.Shape;
  if (!hasParams(step, phaseOffset(step, field(step, Conv.StrideH), 0))) return Status.Params;
  const ring = <u64>taps(step, Conv.KernelH, 0) * slotBytes16(ringPixels(step), field(step, Conv.InC));
  const row = extent(field(step, Conv.OutW) / field(step, Conv.StrideW) + 1, field(step, Conv.OutC));
  return hasScratch(step, ring + <u64>taps(step, Conv.KernelH, 0) * 4 + row) ? Status.Ok : Status.Scratch;
}

/** Bounds the number of phases, which is the stride squared. */
const MAX_STRIDE: i32 = 64;

/** Kernel rows (KernelH) or columns (KernelW) of phase `phase`: those at phase, phase + stride, … */
function taps(step: usize, kernel: i32, phase: i32): i32 {
  const size = field(step, kernel),
    stride = field(step, kernel - Conv.KernelH + Conv.StrideH);
  return phase < size ? (size - phase - 1) / stride + 1 : 0;
}

/** Pairs of inputs in one kernel row of a phase of `columns` columns. */
function segmentPairs(step: usize, columns: i32): i32 {
  return (columns * field(step, Conv.InC) + 1) >> 1;
}

/** Bytes of params before phase (py, px). */
function phaseOffset(step: usize, py: i32, px: i32): u64 {
  let offset: u64 = 0;
  const strideW = field(step, Conv.StrideW);
  for (let y = 0; y <= py; y++) {
    const rows = taps(step, Conv.KernelH, y);
    for (let x = 0; x < (y < py ? strideW : px); x++) {
      const pairs = rows * segmentPairs(step, taps(step, Conv.KernelW, x));
      offset += blocksBytes(field(step, Conv.OutC), pairs, hasWideWeights(step));
    }
  }
  return offset;
}

/** Cells to the left of the picture that the first outputs reach. */
function ringLeft(step: usize): i32 {
  return max(0, taps(step, Conv.KernelW, 0) - 1 - field(step, Conv.PadLeft) / field(step, Conv.StrideW));
}

/** Pixels that a row of the ring holds: up to the one that the last output reaches. */
function ringPixels(step: usize): i32 {
  return ringLeft(step) + (field(step, Conv.OutW) - 1 + field(step, Conv.PadLeft)) / field(step, Conv.StrideW) + 1;
}

export function runTransposedConv2d(step: usize): void {
  if (ASC_FEATURE_SIMD) phases(step);
  else if (hasWideWeights(step)) scalar<i32>(step);
  else scalar<f32>(step);
}

function hasWideWeights(step: usize): bool {
  return field(step, Step.Kernel) == ConvKernel.Int8Wide;
}

function phases(step: usize): void {
  const inC = field(step, Conv.InC);
  const outH = field(step, Conv.OutH),
    padTop = field(step, Conv.PadTop),
    strideH = field(step, Conv.StrideH),
    strideW = field(step, Conv.StrideW);
  const held = taps(step, Conv.KernelH, 0),
    pixels = ringPixels(step);
  const slot = <usize>slotBytes16(pixels, inC);
  const scratch = address(step, Step.Scratch);
  const segments = scratch + <usize>held * slot;
  const rowBytes = <usize>(field(step, Conv.OutW) * field(step, Conv.OutC));
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  ringSetup(
    scratch,
    held,
    slot,
    pixels,
    field(step, Conv.InH),
    field(step, Conv.InW),
    inC,
    ringLeft(step),
    field(step, Conv.InZero),
  );
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = field(step, Conv.Batch); b > 0; b--) {
    ringStart(input, padTop / strideH - held + 1);
    for (let oy = 0; oy < outH; oy++) {
      const q = (oy + padTop) / strideH,
        py = (oy + padTop) % strideH;
      const rows = taps(step, Conv.KernelH, py);
      ringAdvance<i16>(q - held + 1, q);
      for (let j = 0; j < rows; j++) store<u32>(segments + ((<usize>j) << 2), <u32>ringRow(q - rows + 1 + j));
      for (let px = 0; px < strideW; px++) phaseRow(step, segments, rows, py, px, output);
      output += rowBytes;
    }
    input += inputBytes;
  }
}

/** The outputs of one row whose column belongs to phase px, computed side by side, then spread. */
function phaseRow(step: usize, segments: usize, rows: i32, py: i32, px: i32, output: usize): void {
  const outW = field(step, Conv.OutW),
    outC = field(step, Conv.OutC),
    stride = field(step, Conv.StrideW),
    padLeft = field(step, Conv.PadLeft);
  // The first output column of the phase, and how many follow it.
  const first = (px + stride - (padLeft % stride)) % stride;
  if (first >= outW) return;
  const count = (outW - 1 - first) / stride + 1;
  const columns = taps(step, Conv.KernelW, px);
  const blocks = address(step, Step.Params) + <usize>phaseOffset(step, py, px);
  const pixel = (<usize>field(step, Conv.InC)) << 1;
  const shift = <usize>((first + padLeft) / stride - columns + 1 + ringLeft(step)) * pixel;
  const wide = hasWideWeights(step);
  const results = segments + ((<usize>taps(step, Conv.KernelH, 0)) << 2);
  gemmSetup(
    segments,
    rows,
    segmentPairs(step, columns),
    outC,
    field(step, Conv.OutZero),
    field(step, Conv.Min),
    field(step, Conv.Max),
  );
  if (wide) gemmReckon<i32>(blocks);
  else gemmReckon<f32>(blocks);
  if (count < 4) {
    for (let i = 0; i < count; i++) {
      const from = shift + <usize>i * pixel, to = results + <usize>(i * outC);
      if (wide) gemm1<i32>(from, blocks, to);
      else gemm1<f32>(from, blocks, to);
    }
  } else {
    for (let i = 0; i < count; i += 4) {
      // The last tile starts early and writes some pixels again, with the same bytes.
      const at = i + 4 > count ? count - 4 : i;
      const from = shift + <usize>at * pixel, to = results + <usize>(at * outC);
      if (wide) gemm4<i32>(from, pixel, blocks, to);
      else gemm4<f32>(from, pixel, blocks, to);
    }
  }
  let from = results,
    to = output + <usize>(first * outC);
  for (let i = count; i > 0; i--) {
    copyRun(to, from, <usize>outC);
    from += <usize>outC;
    to += <usize>(stride * outC);
  }
}

/** WIDE: an integer type for int16 weights, a float type for int8 ones. */
function scalar<WIDE>(step: usize): void {
  const inH = field(step, Conv.InH),
    inW = field(step, Conv.InW),
    inC = field(step, Conv.InC);
  const outC = field(step, Conv.OutC),
    strideH = field(step, Conv.StrideH),
    strideW = field(step, Conv.StrideW);
  const zero = field(step, Conv.OutZero),
    inZero = field(step, Conv.InZero);
  const min = field(step, Conv.Min), max = field(step, Conv.Max);
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = field(step, Conv.Batch); b > 0; b--, input += <usize>(inH * inW * inC)) {
    for (let oy = field(step, Conv.PadTop); oy < field(step, Conv.PadTop) + field(step, Conv.OutH); oy++) {
      const rows = taps(step, Conv.KernelH, oy % strideH);
      for (let ox = field(step, Conv.PadLeft); ox < field(step, Conv.PadLeft) + field(step, Conv.OutW); ox++) {
        const columns = taps(step, Conv.KernelW, ox % strideW);
        const pairs = segmentPairs(step, columns);
        const blocks = address(step, Step.Params) + <usize>phaseOffset(step, oy % strideH, ox % strideW);
        const blockBytes = <usize>blocksBytes(8, rows * pairs, isInteger<WIDE>());
        for (let n = 0; n < outC; n++) {
          const block = blocks + <usize>(n >> 3) * blockBytes,
            lane = n & 7;
          let acc = load<i32>(block + ((<usize>lane) << 2));
          for (let j = 0; j < rows; j++) {
            const y = oy / strideH - rows + 1 + j;
            for (let i = 0; i < columns; i++) {
              const x = ox / strideW - columns + 1 + i;
              const outside = <u32>y >= <u32>inH || <u32>x >= <u32>inW;
              const cell = outside ? <usize>0 : input + <usize>((y * inW + x) * inC);
              const k = j * pairs * 2 + i * inC;
              for (let c = 0; c < inC; c++) {
                const value = outside ? inZero : <i32>load<i8>(cell + <usize>c);
                acc += value * weightAt<WIDE>(block + 64, lane, k + c);
              }
            }
          }
          store<i8>(output++, <i8>requantize(acc, load<f32>(block + 32 + ((<usize>lane) << 2)), min, max, zero));
        }
      }
    }
  }
}
