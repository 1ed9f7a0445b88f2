// binaryConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ sign(x) · w), w and sign(x) −1 or 1: XOR and count of bits.
// sign(x) is −1 where x < InZero; cells outside the picture are 1. With m cells of K whose signs differ, Σ = K − 2m.
//
//   scratch: one picture, padded, a bit a channel, set for −1:   ├ pixel: ⌈inC / 8⌉ bytes ┼ pixel ┼ … ┤ row by row
//   params, a block of sixteen outputs:  ├ start = bias + K, i32×16 ┼ multiplier f32×16 ┼ byte 0 of all ┼ byte 1 of all ┼ … ┤
//
// A vector is one byte of the kernels of sixteen outputs, against one byte of the picture, sixteen times: counts of
// differing bits are summed per output, so nothing is ever summed across lanes.
//
// Invariant: bits of channels past inC are 0 in both, so they never differ.

import { Conv, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { MAGIC_BITS, requantize, requantize16 } from "../numeric/requantize";
import { storeBytes16, zeros } from "../simd/lanes";
import { checkConvShape, rowPixels } from "./conv2d";
import { MAX_K } from "./fullyConnected";

const HEAD: usize = 128;
/** Counts of bits, 8 at most, that a byte holds. */
const RUN: usize = 31;

function pixelBytes(step: usize): i32 {
  return (field(step, Conv.InC) + 7) >> 3;
}

/** Rows of the padded picture that are looked at. */
function heldRows(step: usize): i32 {
  return (field(step, Conv.OutH) - 1) * field(step, Conv.StrideH) + field(step, Conv.KernelH);
}

export function checkBinaryConv2d(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const status = checkConvShape(step);
  if (status != Status.Ok) return status;
  if (field(step, Conv.DilationH) != 1 || field(step, Conv.DilationW) != 1) return Status.Shape;
  const cells = extent(field(step, Conv.KernelH), field(step, Conv.KernelW), field(step, Conv.InC));
  if (cells > <u64>MAX_K) return Status.Shape;
  const kernel = extent(field(step, Conv.KernelH), field(step, Conv.KernelW), pixelBytes(step));
  if (!hasParams(step, <u64>((field(step, Conv.OutC) + 15) >> 4) * (HEAD + kernel * 16))) return Status.Params;
  return hasScratch(step, extent(heldRows(step), rowPixels(step), pixelBytes(step))) ? Status.Ok : Status.Scratch;
}

export function runBinaryConv2d(step: usize): void {
  const inC = field(step, Conv.InC), outH = field(step, Conv.OutH), outW = field(step, Conv.OutW), outC = field(step, Conv.OutC);
  const pixel = <usize>pixelBytes(step), row = <usize>rowPixels(step) * pixel;
  const stepX = <usize>field(step, Conv.StrideW) * pixel, stepY = <usize>field(step, Conv.StrideH) * row;
  const scratch = address(step, Step.Scratch);
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += inputBytes) {
    packSigns(step, input, scratch, pixel);
    for (let oy: usize = 0; oy < <usize>outH; oy++) {
      for (let ox = 0; ox < outW; ox += 4) {
        // The last four start early and write some pixels again, with the same bytes.
        const first = ox + 4 > outW ? max(0, outW - 4) : ox;
        pixels(step, scratch + oy * stepY + <usize>first * stepX, row, stepX, output + <usize>(first * outC), min(4, outW));
      }
      output += <usize>(outW * outC);
    }
  }
}

/** The padded picture's signs. */
function packSigns(step: usize, input: usize, to: usize, pixel: usize): void {
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW), inC = field(step, Conv.InC), zero = field(step, Conv.InZero);
  const top = field(step, Conv.PadTop), left = field(step, Conv.PadLeft);
  for (let y = 0; y < heldRows(step); y++) {
    for (let x = 0; x < rowPixels(step); x++, to += pixel) {
      memory.fill(to, 0, pixel);
      if (<u32>(y - top) >= <u32>inH || <u32>(x - left) >= <u32>inW) continue;
      const from = input + <usize>(((y - top) * inW + x - left) * inC);
      let c = 0;
      if (ASC_FEATURE_SIMD) {
        for (; c + 16 <= inC; c += 16) {
          store<u16>(to + <usize>(c >> 3), <u16>i8x16.bitmask(i8x16.lt_s(v128.load(from + <usize>c), i8x16.splat(<i8>zero))));
        }
      }
      for (; c < inC; c++) {
        const at = to + <usize>(c >> 3);
        if (<i32>load<i8>(from + <usize>c) < zero) store<u8>(at, <u8>(<i32>load<u8>(at) | (1 << (c & 7))));
      }
    }
  }
}

/** Up to four pixels, `stepX` bytes apart from `at`, by every output. */
function pixels(step: usize, at: usize, row: usize, stepX: usize, out: usize, count: i32): void {
  const kernelH = field(step, Conv.KernelH), outC = field(step, Conv.OutC), stride = <usize>outC;
  const run = <usize>field(step, Conv.KernelW) * <usize>pixelBytes(step), blockBytes = HEAD + <usize>kernelH * run * 16;
  const zero = field(step, Conv.OutZero), low = field(step, Conv.Min), high = field(step, Conv.Max);
  let block = address(step, Step.Params);
  if (ASC_FEATURE_SIMD) {
    // pixels that are not there are the last one again
    const b = count > 1 ? stepX : 0, c = count > 2 ? b + stepX : b, d = count > 3 ? c + stepX : c;
    const magic = i32x4.splat(MAGIC_BITS - zero), lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high);
    for (let left = outC; left > 0; left -= 16) {
      let w = block + HEAD, from = at;
      let s0 = zeros(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
      for (let ky = 0; ky < kernelH; ky++, from += row) {
        const end = from + run;
        for (let p = from; p < end; ) {
          let a0 = zeros(), a1 = a0, a2 = a0, a3 = a0;
          for (const stop = min<usize>(p + RUN, end); p < stop; p++, w += 16) {
            const v = v128.load(w);
            a0 = i8x16.add(a0, i8x16.popcnt(v128.xor(v, v128.load8_splat(p))));
            a1 = i8x16.add(a1, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + b))));
            a2 = i8x16.add(a2, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + c))));
            a3 = i8x16.add(a3, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + d))));
          }
          s0 = i16x8.add(s0, i16x8.extend_low_i8x16_u(a0));
          s1 = i16x8.add(s1, i16x8.extend_high_i8x16_u(a0));
          s2 = i16x8.add(s2, i16x8.extend_low_i8x16_u(a1));
          s3 = i16x8.add(s3, i16x8.extend_high_i8x16_u(a1));
          s4 = i16x8.add(s4, i16x8.extend_low_i8x16_u(a2));
          s5 = i16x8.add(s5, i16x8.extend_high_i8x16_u(a2));
          s6 = i16x8.add(s6, i16x8.extend_low_i8x16_u(a3));
          s7 = i16x8.add(s7, i16x8.extend_high_i8x16_u(a3));
        }
      }
      finish(out, s0, s1, block, magic, lowest, highest, left);
      if (count > 1) finish(out + stride, s2, s3, block, magic, lowest, highest, left);
      if (count > 2) finish(out + 2 * stride, s4, s5, block, magic, lowest, highest, left);
      if (count > 3) finish(out + 3 * stride, s6, s7, block, magic, lowest, highest, left);
      block += blockBytes;
      out += 16;
    }
  } else {
    for (let n: usize = 0; n < stride; n++) {
      const lane = n & 15, head = block + (n >> 4) * blockBytes;
      for (let p: usize = 0; p < <usize>count; p++) {
        let w = head + HEAD + lane, differ = 0;
        for (let ky: usize = 0; ky < <usize>kernelH; ky++) {
          const from = at + p * stepX + ky * row;
          for (let x = from; x < from + run; x++, w += 16) differ += popcnt<i32>(<i32>load<u8>(w) ^ <i32>load<u8>(x));
        }
        const q = requantize(load<i32>(head + (lane << 2)) - 2 * differ, load<f32>(head + 64 + (lane << 2)), low, high, zero);
        store<i8>(out + p * stride + n, <i8>q);
      }
    }
  }
}

/** Start less twice four counts of bits. */
// @ts-ignore: decorator
@inline
function exact(start: usize, counts: v128): v128 {
  return i32x4.sub(v128.load(start), i32x4.shl(counts, 1));
}

/** Stores a pixel of a block, from its counts of differing bits. */
function finish(out: usize, low8: v128, high8: v128, block: usize, magic: v128, lowest: v128, highest: v128, left: i32): void {
  const a0 = exact(block, i32x4.extend_low_i16x8_u(low8)), a1 = exact(block + 16, i32x4.extend_high_i16x8_u(low8));
  const b0 = exact(block + 32, i32x4.extend_low_i16x8_u(high8)), b1 = exact(block + 48, i32x4.extend_high_i16x8_u(high8));
  storeBytes16(out, requantize16(a0, a1, b0, b1, block + 64, block + 96, magic, lowest, highest), left);
}
