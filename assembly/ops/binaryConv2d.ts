// binaryConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ sign(x) · w), w and sign(x) −1 or 1: XOR and count of bits.
// sign(x) is −1 where x < InZero; cells outside the picture are 1. With m cells of K whose signs differ, Σ = K − 2m.
//
//   scratch: one picture, padded, a bit a channel, set for −1:   ├ pixel: ⌈inC / 64⌉ × u64 ┼ pixel ┼ … ┤ row by row
//   params: an output  ├ start = bias + K, i32 ┼ multiplier f32 ┼ 8 bytes ┼ its kernel in the same bits, row by row ┤
//
// Invariant: bits of channels past inC are 0 in both, so they never differ.

import { Conv, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { requantize } from "../numeric/requantize";
import { checkConvShape, rowPixels } from "./conv2d";
import { MAX_K } from "./fullyConnected";

const HEAD: usize = 16;
/** Vectors of bit counts, 8 at most in a byte, that a byte's sum holds. */
const RUN: usize = 31 * 16;

function pixelBytes(step: usize): i32 {
  return ((field(step, Conv.InC) + 63) >> 6) << 3;
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
  if (!hasParams(step, <u64>field(step, Conv.OutC) * (HEAD + kernel))) return Status.Params;
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
  const kernelH = field(step, Conv.KernelH), outC = <usize>field(step, Conv.OutC);
  const run = <usize>field(step, Conv.KernelW) * <usize>pixelBytes(step);
  const zero = field(step, Conv.OutZero), low = field(step, Conv.Min), high = field(step, Conv.Max);
  // pixels that are not there are the last one again
  const b = count > 1 ? stepX : 0, c = count > 2 ? b + stepX : b, d = count > 3 ? c + stepX : c;
  let w = address(step, Step.Params);
  for (let n: usize = 0; n < outC; n++) {
    const head = w;
    w += HEAD;
    let m0 = 0, m1 = 0, m2 = 0, m3 = 0;
    if (ASC_FEATURE_SIMD) {
      let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      let from = at;
      for (let ky = 0; ky < kernelH; ky++, from += row) {
        let p = from;
        for (const end = w + run; w < end; ) {
          let a0 = i8x16.splat(0), a1 = a0, a2 = a0, a3 = a0;
          const whole = end - w & ~15, stop = w + (whole < RUN ? whole : RUN);
          for (; w < stop; w += 16, p += 16) {
            const v = v128.load(w);
            a0 = i8x16.add(a0, i8x16.popcnt(v128.xor(v, v128.load(p))));
            a1 = i8x16.add(a1, i8x16.popcnt(v128.xor(v, v128.load(p + b))));
            a2 = i8x16.add(a2, i8x16.popcnt(v128.xor(v, v128.load(p + c))));
            a3 = i8x16.add(a3, i8x16.popcnt(v128.xor(v, v128.load(p + d))));
          }
          s0 = widen(s0, a0);
          s1 = widen(s1, a1);
          s2 = widen(s2, a2);
          s3 = widen(s3, a3);
          if (end - w == 8) {
            const v = load<u64>(w);
            m0 += <i32>popcnt<u64>(v ^ load<u64>(p));
            m1 += <i32>popcnt<u64>(v ^ load<u64>(p + b));
            m2 += <i32>popcnt<u64>(v ^ load<u64>(p + c));
            m3 += <i32>popcnt<u64>(v ^ load<u64>(p + d));
            w += 8;
          }
        }
      }
      m0 += across(s0);
      m1 += across(s1);
      m2 += across(s2);
      m3 += across(s3);
    } else {
      let from = at;
      for (let ky = 0; ky < kernelH; ky++, from += row) {
        for (let p = from; p < from + run; p += 8, w += 8) {
          const v = load<u64>(w);
          m0 += <i32>popcnt<u64>(v ^ load<u64>(p));
          m1 += <i32>popcnt<u64>(v ^ load<u64>(p + b));
          m2 += <i32>popcnt<u64>(v ^ load<u64>(p + c));
          m3 += <i32>popcnt<u64>(v ^ load<u64>(p + d));
        }
      }
    }
    const start = load<i32>(head), multiplier = load<f32>(head + 4);
    let to = out + n;
    store<i8>(to, <i8>requantize(start - 2 * m0, multiplier, low, high, zero));
    if (count > 1) store<i8>((to += outC), <i8>requantize(start - 2 * m1, multiplier, low, high, zero));
    if (count > 2) store<i8>((to += outC), <i8>requantize(start - 2 * m2, multiplier, low, high, zero));
    if (count > 3) store<i8>(to + outC, <i8>requantize(start - 2 * m3, multiplier, low, high, zero));
  }
}

// @ts-ignore: decorator
@inline
function widen(sum: v128, bytes: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
}

// @ts-ignore: decorator
@inline
function across(sum: v128): i32 {
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}
