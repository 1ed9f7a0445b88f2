// depthwiseConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ x[b, y, x, n / multiplier] · w[ky, kx, n]).
// Cells outside the picture are the input's zero point, which the packer has folded into the bias.
//
// Taps are summed two at a time by dot_i16x8, so the input is first laid out in planes of row pairs,
// for eight channels at a time. With rows counted from −padTop, plane k pairs rows 2k and 2k + 1, and
// serves every output row that touches either: an output row that starts on an even row meets weights
// (w0,w1)(w2,0), one that starts on an odd row meets (0,w0)(w1,w2). Each plane is made once.
// Where rows are dilated, plane k pairs kernel rows 2k and 2k + 1 and is made for each output row.
// A step may be turned: its rows are then the picture's columns, so that tiles lie along the longer side.
// A kernel of one row pairs neighbouring columns instead: (w0,w1) at column 0, (w2,·) at column 2, …
//
//   a plane, 32 bytes a pixel from −padLeft on: ├ a0 b0 a1 b1 a2 b2 a3 b3 │ a4 b4 … a7 b7 ┤   int16; a, b the paired cells
//   scratch: a ring of planes, then eight cells of zero point
//   params: a block of eight channels ├ bias i32×8 ┼ multiplier f32×8 ┼ taps, even start ┼ taps, odd start ┤
//   a tap is 32 bytes like a plane's pixel; the odd set is there only where an output row can start odd
//
// Invariant: a weight that meets no tap is zero, so what it meets does not matter.

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { reckon, requantize } from "../numeric/requantize";
import { makePlane, outputRow, setPlanes } from "../simd/planes";
import { checkConvShape, rowPixels } from "./conv2d";
import { MAX_K } from "./fullyConnected";

export function checkDepthwiseConv2d(step: usize): i32 {
  if (field(step, Step.Kernel) != ConvKernel.Int8) return Status.Kernel;
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  const cells = extent(field(step, Conv.KernelH), field(step, Conv.KernelW));
  if (cells > <u64>MAX_K || field(step, Conv.OutC) % field(step, Conv.InC) != 0) return Status.Shape;
  const blocks = <u64>((field(step, Conv.OutC) + 7) >> 3);
  if (!hasParams(step, blocks * <u64>blockBytes(step))) return Status.Params;
  const planes = <u64>planeCount(step) * <u64>rowPixels(step) * 32;
  return hasScratch(step, planes + 16) ? Status.Ok : Status.Scratch;
}

/** Planes that one output row can touch, whichever row it starts on. */
function planeCount(step: usize): i32 {
  const kernelH = field(step, Conv.KernelH);
  return startsOdd(step) ? (kernelH + 2) >> 1 : (kernelH + 1) >> 1;
}

/** Whether an output row may start on an odd row: then there is a second set of taps. */
function startsOdd(step: usize): bool {
  return field(step, Conv.KernelH) > 1 && field(step, Conv.DilationH) == 1 && (field(step, Conv.StrideH) & 1) == 1;
}

function evenTaps(step: usize): i32 {
  const kernelH = field(step, Conv.KernelH), kernelW = field(step, Conv.KernelW);
  return kernelH == 1 ? (kernelW + 1) >> 1 : ((kernelH + 1) >> 1) * kernelW;
}

function oddTaps(step: usize): i32 {
  return startsOdd(step) ? ((field(step, Conv.KernelH) + 2) >> 1) * field(step, Conv.KernelW) : 0;
}

function blockBytes(step: usize): usize {
  return 64 + 32 * <usize>(evenTaps(step) + oddTaps(step));
}

export function runDepthwiseConv2d(step: usize): void {
  if (ASC_FEATURE_SIMD) vector(step);
  else scalar(step);
}

function vector(step: usize): void {
  const kernelH = field(step, Conv.KernelH), dilationH = field(step, Conv.DilationH);
  const strideH = field(step, Conv.StrideH), padTop = field(step, Conv.PadTop), outH = field(step, Conv.OutH);
  const outC = field(step, Conv.OutC), ringPlanes = planeCount(step);
  const oneRow = kernelH == 1;
  setPlanes(step, rowPixels(step), ringPlanes);
  const shift = oneRow ? field(step, Conv.DilationW) : 0;
  const fresh = oneRow || dilationH > 1;
  const evenPlanes = (kernelH + 1) >> 1, oddPlanes = (kernelH + 2) >> 1;
  const oddWeights: usize = 64 + (<usize>evenTaps(step) << 5);
  const bytes = blockBytes(step);
  reckon(address(step, Step.Params), bytes, outC, kernelH * field(step, Conv.KernelW));
  const outW = field(step, Conv.OutW);
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * field(step, Conv.InC));
  const rowBytes = <usize>(field(step, Conv.Turned) != 0 ? outC : outW * outC);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++) {
    let block = address(step, Step.Params);
    for (let c = 0; c < outC; c += 8) {
      let out = output + <usize>c;
      let next = 0;
      for (let oy = 0; oy < outH; oy++) {
        const top = oy * strideH;
        if (fresh) {
          for (let k = 0; k < evenPlanes; k++) {
            const y = top - padTop + 2 * k * dilationH;
            makePlane(k, input, y, oneRow ? y : y + dilationH, shift, c);
          }
          outputRow(0, evenPlanes, block, block + 64, out, outC - c);
        } else {
          const first = top >> 1, odd = top & 1;
          const count = odd ? oddPlanes : evenPlanes;
          if (next < first) next = first;
          for (; next < first + count; next++) makePlane(next % ringPlanes, input, 2 * next - padTop, 2 * next + 1 - padTop, 0, c);
          outputRow(first % ringPlanes, count, block, block + (odd ? oddWeights : <usize>64), out, outC - c);
        }
        out += rowBytes;
      }
      block += bytes;
    }
    input += inputBytes;
    output += <usize>(outH * outW * outC);
  }
}

/** Where one output pixel's taps are: ├ cell, 0 outside the picture u32 ┼ weight's place in a block u32 ┤ of each. */
function findTaps(step: usize, input: usize, top: i32, left: i32, to: usize): usize {
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW), inC = field(step, Conv.InC);
  const kernelH = field(step, Conv.KernelH), kernelW = field(step, Conv.KernelW);
  const turned = field(step, Conv.Turned) != 0;
  const inStep = turned ? inH : 1, inRow = turned ? 1 : inW;
  for (let ky = 0; ky < kernelH; ky++) {
    const y = top + ky * field(step, Conv.DilationH);
    for (let kx = 0; kx < kernelW; kx++, to += 8) {
      const x = left + kx * field(step, Conv.DilationW);
      const outside = <u32>y >= <u32>inH || <u32>x >= <u32>inW;
      const tap = kernelH == 1 ? kx >> 1 : (ky >> 1) * kernelW + kx;
      const second = kernelH == 1 ? kx & 1 : ky & 1;
      store<u32>(to, outside ? 0 : <u32>input + (y * inRow + x * inStep) * inC);
      store<u32>(to, 64 + tap * 32 + second * 2, 4);
    }
  }
  return to;
}

/** Four channels at a time, whose sums stay in registers; what the last four have too many is not stored. */
function scalar(step: usize): void {
  const outC = field(step, Conv.OutC), repeat = <usize>(outC / field(step, Conv.InC));
  const inZero = field(step, Conv.InZero), zero = field(step, Conv.OutZero);
  const min = field(step, Conv.Min), max = field(step, Conv.Max);
  const bytes = blockBytes(step);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW);
  const turned = field(step, Conv.Turned) != 0;
  const outStep = turned ? outH : 1, outRow = turned ? 1 : outW;
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * field(step, Conv.InC));
  const taps = address(step, Step.Scratch);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += inputBytes, output += <usize>(outH * outW * outC)) {
    for (let oy = 0; oy < outH; oy++) {
      const top = oy * field(step, Conv.StrideH) - field(step, Conv.PadTop);
      for (let ox = 0; ox < outW; ox++) {
        const end = findTaps(step, input, top, ox * field(step, Conv.StrideW) - field(step, Conv.PadLeft), taps);
        const out = output + <usize>((oy * outRow + ox * outStep) * outC);
        let block = address(step, Step.Params);
        for (let n = 0; n < outC; n += 4) {
          let c0 = <usize>n, c1 = c0 + 1, c2 = c0 + 2, c3 = c0 + 3;
          if (repeat != 1) {
            c0 /= repeat;
            c1 /= repeat;
            c2 /= repeat;
            c3 /= repeat;
          }
          let s0 = load<i32>(block), s1 = load<i32>(block, 4), s2 = load<i32>(block, 8), s3 = load<i32>(block, 12);
          for (let tap = taps; tap < end; tap += 8) {
            const cell = <usize>load<u32>(tap), weight = block + <usize>load<u32>(tap, 4);
            const w0 = <i32>load<i16>(weight), w1 = <i32>load<i16>(weight, 4), w2 = <i32>load<i16>(weight, 8), w3 = <i32>load<i16>(weight, 12);
            if (cell != 0) {
              s0 += <i32>load<i8>(cell + c0) * w0;
              s1 += <i32>load<i8>(cell + c1) * w1;
              s2 += <i32>load<i8>(cell + c2) * w2;
              s3 += <i32>load<i8>(cell + c3) * w3;
            } else {
              s0 += inZero * w0;
              s1 += inZero * w1;
              s2 += inZero * w2;
              s3 += inZero * w3;
            }
          }
          const to = out + <usize>n, multipliers = block + 32, left = outC - n;
          store<i8>(to, <i8>requantize(s0, load<f32>(multipliers), min, max, zero));
          if (left > 1) store<i8>(to, <i8>requantize(s1, load<f32>(multipliers, 4), min, max, zero), 1);
          if (left > 2) store<i8>(to, <i8>requantize(s2, load<f32>(multipliers, 8), min, max, zero), 2);
          if (left > 3) store<i8>(to, <i8>requantize(s3, load<f32>(multipliers, 12), min, max, zero), 3);
          // the second four of a block lie 16 bytes behind the first
          block += (n & 4) == 0 ? 16 : bytes - 16;
        }
      }
    }
  }
}
