// depthwiseConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ x[b, y, x, n / multiplier] · w[ky, kx, n]).
// Invariant: scratch is the row ring (int8, each input channel repeated `multiplier` times and the pixel
// padded to a multiple of eight), then the addresses of the kernel's cells.
//
//   params: a block of eight channels  ├ bias i32×8 ┼ multiplier f32×8 ┼ tap pair 0 ┼ tap pair 1 ┼ … ┤
//   a tap pair                         ├ w[t][c0] w[t+1][c0] … w[t][c7] w[t+1][c7] ┤   16 × i16; an odd last tap pairs with zero

import { Conv, ConvKernel, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { MAGIC_BITS, requantize, requantize8 } from "../numeric/requantize";
import { storeBytes } from "../simd/lanes";
import { ringAdvance8, ringRow, ringSetup, ringStart, slotBytes8 } from "../simd/rowRing";
import { MAX_K } from "./fullyConnected";
import { checkConvShape, rowPixels, rowsHeld } from "./conv2d";

export function checkDepthwiseConv2d(step: usize): i32 {
  if (field(step, Step.Kernel) != ConvKernel.Int8) return Status.Kernel;
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  const taps = extent(field(step, Conv.KernelH), field(step, Conv.KernelW));
  if (taps > <u64>MAX_K || field(step, Conv.OutC) % field(step, Conv.InC) != 0) return Status.Shape;
  const blocks = <u64>((field(step, Conv.OutC) + 7) >> 3);
  if (!hasParams(step, blocks * (64 + ((taps + 1) >> 1) * 32))) return Status.Params;
  const ring = <u64>rowsHeld(step) * slotBytes8(rowPixels(step), (field(step, Conv.OutC) + 7) & ~7);
  return hasScratch(step, ring + (taps + 1) * 4) ? Status.Ok : Status.Scratch;
}

export function runDepthwiseConv2d(step: usize): void {
  if (ASC_FEATURE_SIMD) vector(step);
  else scalar(step);
}

function vector(step: usize): void {
  const inC = field(step, Conv.InC),
    outC = field(step, Conv.OutC);
  const outH = field(step, Conv.OutH),
    outW = field(step, Conv.OutW);
  const kernelH = field(step, Conv.KernelH),
    kernelW = field(step, Conv.KernelW);
  const taps = kernelH * kernelW;
  const cells = (outC + 7) & ~7;
  const held = rowsHeld(step),
    pixels = rowPixels(step);
  const slot = <usize>slotBytes8(pixels, cells);
  const scratch = address(step, Step.Scratch);
  const table = scratch + <usize>held * slot;
  const tableEnd = table + ((<usize>taps) << 2);
  const padTop = field(step, Conv.PadTop);
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  const repeat = outC / inC;
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
      const top = oy * field(step, Conv.StrideH) - padTop;
      ringAdvance8(top, top + held - 1, repeat, cells);
      let tap = table;
      for (let ky = 0; ky < kernelH; ky++) {
        const row = ringRow(top + ky * field(step, Conv.DilationH));
        for (let kx = 0; kx < kernelW; kx++) {
          store<u32>(tap, <u32>(row + <usize>(kx * field(step, Conv.DilationW) * cells)));
          tap += 4;
        }
      }
      // An odd last tap meets a zero weight in its pair; any readable cell will do.
      store<u32>(tap, load<u32>(table));
      outputRow(step, table, tableEnd, output, outW, outC, <usize>(field(step, Conv.StrideW) * cells));
      output += <usize>(outW * outC);
    }
    input += inputBytes;
  }
}

function outputRow(
  step: usize,
  table: usize,
  tableEnd: usize,
  output: usize,
  outW: i32,
  outC: i32,
  pixelStep: usize,
): void {
  const zero = field(step, Conv.OutZero);
  const low = f32x4.splat(<f32>(field(step, Conv.Min) - zero));
  const high = f32x4.splat(<f32>(field(step, Conv.Max) - zero));
  const offset = i32x4.splat(MAGIC_BITS - zero);
  let block = address(step, Step.Params);
  let next = block;
  for (let c = 0; c < outC; c += 8) {
    const bias0 = v128.load(block),
      bias1 = v128.load(block, 16);
    let shift = <usize>c;
    let out = output + <usize>c;
    for (let ox = 0; ox < outW; ox++) {
      let lo = bias0,
        hi = bias1;
      let w = block + 64;
      for (let tap = table; tap < tableEnd; tap += 8) {
        const x0 = v128.load8x8_s(<usize>load<u32>(tap) + shift);
        const x1 = v128.load8x8_s(<usize>load<u32>(tap, 4) + shift);
        lo = i32x4.add(lo, i32x4.dot_i16x8_s(v128.shuffle<i16>(x0, x1, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(w)));
        hi = i32x4.add(hi, i32x4.dot_i16x8_s(v128.shuffle<i16>(x0, x1, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(w, 16)));
        w += 32;
      }
      next = w;
      storeBytes(out, requantize8(lo, hi, block + 32, low, high, offset), outC - c);
      shift += pixelStep;
      out += <usize>outC;
    }
    block = next;
  }
}

function scalar(step: usize): void {
  const inH = field(step, Conv.InH),
    inW = field(step, Conv.InW),
    inC = field(step, Conv.InC);
  const outC = field(step, Conv.OutC);
  const kernelH = field(step, Conv.KernelH),
    kernelW = field(step, Conv.KernelW);
  const repeat = outC / inC;
  const zero = field(step, Conv.OutZero),
    inZero = field(step, Conv.InZero);
  const low = <f32>(field(step, Conv.Min) - zero),
    high = <f32>(field(step, Conv.Max) - zero);
  const blockBytes: usize = 64 + <usize>((kernelH * kernelW + 1) >> 1) * 32;
  const blocks = address(step, Step.Params);
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += <usize>(inH * inW * inC)) {
    for (let oy = 0; oy < field(step, Conv.OutH); oy++) {
      for (let ox = 0; ox < field(step, Conv.OutW); ox++) {
        const top = oy * field(step, Conv.StrideH) - field(step, Conv.PadTop);
        const left = ox * field(step, Conv.StrideW) - field(step, Conv.PadLeft);
        for (let n = 0; n < outC; n++) {
          const block = blocks + <usize>(n >> 3) * blockBytes;
          const lane = <usize>(n & 7);
          let acc = load<i32>(block + (lane << 2));
          for (let tap = 0; tap < kernelH * kernelW; tap++) {
            const y = top + (tap / kernelW) * field(step, Conv.DilationH);
            const x = left + (tap % kernelW) * field(step, Conv.DilationW);
            const outside = <u32>y >= <u32>inH || <u32>x >= <u32>inW;
            const value = outside ? inZero : <i32>load<i8>(input + <usize>((y * inW + x) * inC + n / repeat));
            acc += value * <i32>load<i16>(block + 64 + <usize>(tap >> 1) * 32 + (lane << 2) + <usize>((tap & 1) << 1));
          }
          store<i8>(output++, <i8>requantize(acc, load<f32>(block + 32 + (lane << 2)), low, high, zero));
        }
      }
    }
  }
}
