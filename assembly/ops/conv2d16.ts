// conv2d with int16 activations and int8 weights: zero points 0, 64-bit sums, blocks and rules in
// numeric/wideSums.ts. Every output pixel's inputs are gathered into a row [ky, kx, c] with zeros for
// cells outside the picture; a pointwise layer's rows are the input itself.
// Invariant: scratch is the sums of simd/wideRows.ts, then four gathered rows.

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { WideRule, wideBlocksBytes, wideScalar } from "../numeric/wideSums";
import { WIDE_SUMS, wideRows, wideSetup } from "../simd/wideRows";
import { checkConvShape, isPointwise } from "./conv2d";
import { MAX_WIDE_K } from "./fullyConnected16";

export function checkConv2d16(step: usize): i32 {
  const status = checkConvShape(step, 2);
  if (status != Status.Ok) return status;
  if (field(step, Conv.InZero) != 0 || field(step, Conv.OutZero) != 0) return Status.Shape;
  const k = extent(field(step, Conv.KernelH), field(step, Conv.KernelW), field(step, Conv.InC));
  if (k > <u64>MAX_WIDE_K) return Status.Shape;
  if (!hasParams(step, wideBlocksBytes(field(step, Conv.OutC), (<i32>k + 1) >> 1))) return Status.Params;
  return hasScratch(step, WIDE_SUMS + 4 * <u64>rowBytes(<i32>k)) ? Status.Ok : Status.Scratch;
}

/** Bytes of a gathered row, with room for the pair of an odd last input. */
function rowBytes(k: i32): usize {
  return ((<usize>k) << 1) + 2;
}

export function runConv2d16(step: usize): void {
  const inC = field(step, Conv.InC),
    outW = field(step, Conv.OutW),
    outC = field(step, Conv.OutC);
  const k = field(step, Conv.KernelH) * field(step, Conv.KernelW) * inC;
  const rule = field(step, Step.Kernel) == ConvKernel.Int16 ? WideRule.Q15 : WideRule.Q31;
  const low = field(step, Conv.Min),
    high = field(step, Conv.Max);
  const blocks = address(step, Step.Params),
    scratch = address(step, Step.Scratch);
  const rows = scratch + <usize>WIDE_SUMS,
    rowStep = rowBytes(k);
  const inputBytes = (<usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC)) << 1;
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  if (ASC_FEATURE_SIMD) {
    wideSetup(scratch, rule, low, high);
    if (isPointwise(step)) {
      const pixels = field(step, Conv.Batch) * field(step, Conv.OutH) * outW;
      wideRows(input, (<usize>inC) << 1, pixels, k, outC, blocks, output);
      return;
    }
  }
  for (let b = field(step, Conv.Batch); b > 0; b--, input += inputBytes) {
    for (let oy = 0; oy < field(step, Conv.OutH); oy++) {
      for (let ox = 0; ox < outW; ox += 4) {
        const count = min(4, outW - ox);
        for (let i = 0; i < count; i++) gather(step, input, oy, ox + i, rows + <usize>i * rowStep);
        if (ASC_FEATURE_SIMD) wideRows(rows, rowStep, count, k, outC, blocks, output);
        else {
          for (let i: usize = 0; i < <usize>count; i++) {
            wideScalar(rows + i * rowStep, output + i * ((<usize>outC) << 1), blocks, k, outC, rule, low, high);
          }
        }
        output += (<usize>(count * outC)) << 1;
      }
    }
  }
}

/** The inputs of output pixel (oy, ox), as [ky, kx, c]. */
function gather(step: usize, input: usize, oy: i32, ox: i32, to: usize): void {
  const inH = field(step, Conv.InH),
    inW = field(step, Conv.InW),
    kernelW = field(step, Conv.KernelW);
  const cell = (<usize>field(step, Conv.InC)) << 1;
  const top = oy * field(step, Conv.StrideH) - field(step, Conv.PadTop),
    left = ox * field(step, Conv.StrideW) - field(step, Conv.PadLeft);
  for (let ky = 0; ky < field(step, Conv.KernelH); ky++) {
    const y = top + ky * field(step, Conv.DilationH);
    if (<u32>y >= <u32>inH) {
      memory.fill(to, 0, <usize>kernelW * cell);
      to += <usize>kernelW * cell;
      continue;
    }
    const row = input + <usize>(y * inW) * cell;
    if (field(step, Conv.DilationW) == 1) {
      // Cells before, inside and after the picture's row.
      const before = min(kernelW, max(0, -left));
      const inside = max(0, min(kernelW, inW - left) - before);
      const width = <usize>inside * cell;
      memory.fill(to, 0, <usize>before * cell);
      to += <usize>before * cell;
      // Even a copy of nothing must not name a place outside the memory.
      if (inside > 0) memory.copy(to, row + <usize>(left + before) * cell, width);
      to += width;
      memory.fill(to, 0, <usize>(kernelW - before - inside) * cell);
      to += <usize>(kernelW - before - inside) * cell;
      continue;
    }
    for (let kx = 0; kx < kernelW; kx++, to += cell) {
      const x = left + kx * field(step, Conv.DilationW);
      if (<u32>x >= <u32>inW) memory.fill(to, 0, cell);
      else memory.copy(to, row + <usize>x * cell, cell);
    }
  }
}
