// conv2d and fullyConnected by the relaxed tiles of strips (simd/gemmStrips.ts), for weights of which the plan says that they
// lie in −127 … 127, in −64 … 63 or are of four bits and fewer; the builds without the instruction take such steps as any other.
// Invariant: the same bytes as conv2d.ts; every build asks for the same scratch, as one file is for all of them.
//
//   scratch, rows:     ├ the address of the one segment ┼ strips ┼ seven-bit weights ┤
//   scratch, windows:  ├ as conv2d.ts has it: row ring, the segments' addresses ┼ strips ┼ seven-bit weights ┤

import { Conv, ConvKernel, Step } from "../abi";
import { address, field } from "../memory";
import { gemmSetup } from "../simd/gemm";
import { fewBlocks, fewSeven } from "../simd/fewBits";
import { pixelsByStrips, tilePixels } from "../simd/gemmStrips";
import { narrow } from "../simd/machine";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";
import { packSeven, stripsBytes, stripsEnd } from "../simd/strips";
import { isFewBits } from "./fewBits";

/** Whether the weights of kernel `kernel` are multiplied by the relaxed dot, were there one. */
// @ts-ignore: decorator
@inline
export function isRelaxed(kernel: i32): bool {
  return <u32>(kernel - ConvKernel.Int8Symmetric) < 2;
}

/**
 * Whether the tiles take `pixels` in a row, of `count` segments of `pairs` pairs: a quad may not begin in one and end
 * in the next. Weights of eight bits are faster without strips on x86.
 */
export function takesStrips(kernel: i32, pixels: i32, pairs: i32, count: i32): bool {
  const seven = kernel >= ConvKernel.Int7;
  if (!seven && (!narrow || kernel != ConvKernel.Int8Symmetric)) return false;
  return pixels >= tilePixels(seven) && (count == 1 || (pairs & 1) == 0);
}

/** Scratch of a kernel that needs `bytes`, and strips behind them, of `pairs` pairs. */
export function withStrips(kernel: i32, pairs: u64, outC: i32, bytes: u64): u64 {
  return isRelaxed(kernel) ? ((bytes + 15) & ~15) + stripsBytes(pairs, outC, kernel == ConvKernel.Int7) : bytes;
}

/** Prepares a seven-bit step's weights behind the strips; the constants of the product have been set. */
export function startStrips(strips: usize, blocks: usize, seven: bool): void {
  if (seven) packSeven(stripsEnd(strips), blocks);
}

/** The steps that `takesStrips` takes. */
export function windowsRelaxed(step: usize, held: i32, pixels: i32, pairs: i32, count: i32, strips: usize): void {
  const inC = field(step, Conv.InC), inH = field(step, Conv.InH), inW = field(step, Conv.InW);
  const outW = field(step, Conv.OutW), outC = field(step, Conv.OutC);
  const kernelH = field(step, Conv.KernelH);
  const dilationH = field(step, Conv.DilationH), dilationW = field(step, Conv.DilationW);
  const columns = dilationW == 1 ? 1 : field(step, Conv.KernelW);
  const padTop = field(step, Conv.PadTop);
  const few = isFewBits(field(step, Step.Kernel)), seven = few || field(step, Step.Kernel) == ConvKernel.Int7;
  const blocks = few ? fewBlocks() : address(step, Step.Params);
  const slot = <usize>slotBytes16(pixels, inC);
  const scratch = address(step, Step.Scratch);
  const segments = scratch + <usize>held * slot;
  gemmSetup(segments, count, pairs, outC, field(step, Conv.OutZero), field(step, Conv.Min), field(step, Conv.Max));
  ringSetup(scratch, held, slot, pixels, inH, inW, inC, field(step, Conv.PadLeft), field(step, Conv.InZero));
  if (few) fewSeven(stripsEnd(strips));
  else startStrips(strips, blocks, seven);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = field(step, Conv.Batch); b > 0; b--) {
    ringStart(input, -padTop);
    for (let oy = field(step, Conv.OutH), top = -padTop; oy > 0; oy--, top += field(step, Conv.StrideH)) {
      ringAdvance<i8>(top, top + held - 1);
      let segment = segments;
      for (let ky = 0; ky < kernelH; ky++) {
        let cell = ringRow(top + ky * dilationH);
        for (let kx = columns; kx > 0; kx--, segment += 4, cell += <usize>(dilationW * inC)) store<u32>(segment, <u32>cell);
      }
      pixelsByStrips(outW, <usize>(field(step, Conv.StrideW) * inC), strips, blocks, output, seven);
      output += <usize>(outW * outC);
    }
    input += <usize>(inH * inW * inC);
  }
}
