// binaryConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ sign(x) · w), w and sign(x) −1 or 1: a count of bits that differ.
// sign(x) is −1 where x < InZero; cells outside the picture are 1. With m cells of K whose signs differ, Σ = K − 2m.
//
//   scratch: one picture, padded, a bit a channel, set for −1:   ├ pixel: ⌈inC / 8⌉ bytes ┼ pixel ┼ … ┤ row by row
//   params, a block of sixteen outputs:  ├ start = bias + K, i32×16 ┼ multiplier f32×16 ┼ byte 0 of all ┼ byte 1 of all ┼ … ┤
//
// A vector is one byte of the kernels of sixteen outputs, against one byte of the picture: counts of differing bits are
// summed per output, so nothing is ever summed across lanes. On arm64 they are XOR and popcnt of the byte sixteen times.
// x86 has no popcnt of bytes, so there four inputs choose a table of counts, and the outputs' four weights the count in it:
//
//   tables: 16 × ├ differing bits of i and 0, 1, … 15 ┤, at 16·i       count += swizzle(table of x & 15, w & 15)
//   tile:   four pixels × two blocks, or one pixel × four blocks      count += swizzle(table of x >> 4, w >> 4)
//
// Invariant: bits of channels past inC are 0 in both, so they never differ.

import { Conv, Status, Step } from "../abi";
import { address, extent, field, hasParams, hasScratch } from "../memory";
import { MAGIC_BITS, requantize, requantize16 } from "../numeric/requantize";
import { storeBytes16, zeros } from "../simd/lanes";
import { narrow } from "../simd/machine";
import { checkConvShape, isPointwise, rowPixels } from "./conv2d";
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
  if (ASC_FEATURE_SIMD) fillTables();
  // rows of a pointwise one lie behind one another
  const rows = isPointwise(step) ? outH : 1, lines = <usize>(outH / rows), inLine = outW * rows;
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += inputBytes) {
    packSigns(step, input, scratch, pixel);
    for (let oy: usize = 0; oy < lines; oy++) {
      for (let ox = 0; ox < inLine; ox += 4) {
        // The last four start early and write some pixels again, with the same bytes.
        const first = ox + 4 > inLine ? max(0, inLine - 4) : ox;
        pixels(step, scratch + oy * stepY + <usize>first * stepX, row, stepX, output + <usize>(first * outC), min(4, inLine));
      }
      output += <usize>(inLine * outC);
    }
  }
}

/** The padded picture's signs. */
function packSigns(step: usize, input: usize, to: usize, pixel: usize): void {
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW), inC = field(step, Conv.InC), zero = field(step, Conv.InZero);
  const top = field(step, Conv.PadTop), left = field(step, Conv.PadLeft);
  for (let y = 0; y < heldRows(step); y++) {
    for (let x = 0; x < rowPixels(step); x++, to += pixel) {
      const outside = <u32>(y - top) >= <u32>inH || <u32>(x - left) >= <u32>inW;
      if (outside || !ASC_FEATURE_SIMD || (inC & 15) != 0) memory.fill(to, 0, pixel);
      if (outside) continue;
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

/** Differing bits of every two nibbles. */
const tables: usize = memory.data(256, 16);
/** The vectors of counts that a run of bytes leaves, up to eight, as bytes; their sums of a tile, as int16. */
const bytes: usize = memory.data(128, 16);
const counts: usize = memory.data(256, 16);

function fillTables(): void {
  const all = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (let i = 0; i < 16; i++) v128.store(tables + (<usize>i << 4), i8x16.popcnt(v128.xor(all, i8x16.splat(<i8>i))));
}

// @ts-ignore: decorator
@inline
function tableOf(nibble: usize): v128 {
  return v128.load(tables + (nibble << 4));
}

// @ts-ignore: decorator
@inline
function chosen(sum: v128, from: v128, nibbles: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.add(sum, i8x16.relaxed_swizzle(from, nibbles));
  return i8x16.add(sum, i8x16.swizzle(from, nibbles));
}

// @ts-ignore: decorator
@inline
function low4(v: v128): v128 {
  return v128.and(v, i8x16.splat(15));
}

// @ts-ignore: decorator
@inline
function high4(v: v128): v128 {
  return low4(i16x8.shr_u(v, 4));
}

/** Bytes p … stop of four pixels, b, c and d bytes apart, by the block at `w` and the one `next` bytes on. */
function fourPixels(p: usize, stop: usize, b: usize, c: usize, d: usize, w: usize, next: usize): void {
  let a0 = zeros();
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (; p < stop; p++, w += 16) {
    const v = v128.load(w), u = v128.load(w + next), v0 = low4(v), v1 = high4(v), u0 = low4(u), u1 = high4(u);
    let x = <usize>load<u8>(p), t = tableOf(x & 15);
    a0 = chosen(a0, t, v0); a1 = chosen(a1, t, u0);
    t = tableOf(x >> 4);
    a0 = chosen(a0, t, v1); a1 = chosen(a1, t, u1);
    x = <usize>load<u8>(p + b); t = tableOf(x & 15);
    b0 = chosen(b0, t, v0); b1 = chosen(b1, t, u0);
    t = tableOf(x >> 4);
    b0 = chosen(b0, t, v1); b1 = chosen(b1, t, u1);
    x = <usize>load<u8>(p + c); t = tableOf(x & 15);
    c0 = chosen(c0, t, v0); c1 = chosen(c1, t, u0);
    t = tableOf(x >> 4);
    c0 = chosen(c0, t, v1); c1 = chosen(c1, t, u1);
    x = <usize>load<u8>(p + d); t = tableOf(x & 15);
    d0 = chosen(d0, t, v0); d1 = chosen(d1, t, u0);
    t = tableOf(x >> 4);
    d0 = chosen(d0, t, v1); d1 = chosen(d1, t, u1);
  }
  v128.store(bytes, a0); v128.store(bytes, a1, 16); v128.store(bytes, b0, 32); v128.store(bytes, b1, 48);
  v128.store(bytes, c0, 64); v128.store(bytes, c1, 80); v128.store(bytes, d0, 96); v128.store(bytes, d1, 112);
}

/** The same by one block: the faster way where bytes have a popcnt, and for the last block. */
function fourPixelsPopcnt(p: usize, stop: usize, b: usize, c: usize, d: usize, w: usize): void {
  let a0 = zeros();
  let a1 = a0, a2 = a0, a3 = a0;
  for (; p < stop; p++, w += 16) {
    const v = v128.load(w);
    a0 = i8x16.add(a0, i8x16.popcnt(v128.xor(v, v128.load8_splat(p))));
    a1 = i8x16.add(a1, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + b))));
    a2 = i8x16.add(a2, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + c))));
    a3 = i8x16.add(a3, i8x16.popcnt(v128.xor(v, v128.load8_splat(p + d))));
  }
  v128.store(bytes, a0); v128.store(bytes, a1, 32); v128.store(bytes, a2, 64); v128.store(bytes, a3, 96);
}

/** One pixel by four blocks: the one at `w` and those x, y and z bytes on. */
function onePixel(p: usize, stop: usize, w: usize, x: usize, y: usize, z: usize): void {
  let a0 = zeros();
  let a1 = a0, a2 = a0, a3 = a0;
  for (; p < stop; p++, w += 16) {
    const byte = <usize>load<u8>(p), t = tableOf(byte & 15), u = tableOf(byte >> 4);
    let v = v128.load(w);
    a0 = chosen(chosen(a0, t, low4(v)), u, high4(v));
    v = v128.load(w + x);
    a1 = chosen(chosen(a1, t, low4(v)), u, high4(v));
    v = v128.load(w + y);
    a2 = chosen(chosen(a2, t, low4(v)), u, high4(v));
    v = v128.load(w + z);
    a3 = chosen(chosen(a3, t, low4(v)), u, high4(v));
  }
  v128.store(bytes, a0); v128.store(bytes, a1, 16); v128.store(bytes, a2, 32); v128.store(bytes, a3, 48);
}

/** Up to four pixels, `stepX` bytes apart from `at`, by every output. */
function pixels(step: usize, at: usize, row: usize, stepX: usize, out: usize, count: i32): void {
  const kernelH = field(step, Conv.KernelH), outC = field(step, Conv.OutC), stride = <usize>outC;
  const run = <usize>field(step, Conv.KernelW) * <usize>pixelBytes(step), blockBytes = HEAD + <usize>kernelH * run * 16;
  const zero = field(step, Conv.OutZero), low = field(step, Conv.Min), high = field(step, Conv.Max);
  let block = address(step, Step.Params);
  if (ASC_FEATURE_SIMD) {
    // pixels that are not there are the last one again
    const one = count == 1, b: usize = one ? 0 : stepX, c = count > 2 ? b + stepX : b, d = count > 3 ? c + stepX : c;
    const magic = i32x4.splat(MAGIC_BITS - zero), lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high);
    for (let left = outC, blocks = 0; left > 0; left -= 16 * blocks) {
      const popcnt = narrow || left <= 16;
      blocks = one ? 4 : popcnt ? 1 : 2;
      // so are blocks
      const x: usize = left > 16 ? blockBytes : 0, y = left > 32 ? x + blockBytes : x, z = left > 48 ? y + blockBytes : y;
      let w = block + HEAD, from = at;
      let kept = zeros();
      for (let ky = 0; ky < kernelH; ky++, from += row) {
        const end = from + run;
        for (let p = from; p < end; ) {
          const stop = min<usize>(p + RUN, end);
          if (one) onePixel(p, stop, w, x, y, z);
          else if (popcnt) fourPixelsPopcnt(p, stop, b, c, d, w);
          else fourPixels(p, stop, b, c, d, w, x);
          w += (stop - p) << 4;
          p = stop;
          for (let i: usize = 0; i < 128; i += 16) {
            const v = v128.load(bytes + i), to = counts + 2 * i;
            v128.store(to, i16x8.add(v128.and(v128.load(to), kept), i16x8.extend_low_i8x16_u(v)));
            v128.store(to, i16x8.add(v128.and(v128.load(to, 16), kept), i16x8.extend_high_i8x16_u(v)), 16);
          }
          kept = i32x4.splat(-1);
        }
      }
      for (let i = 0; i < blocks && left > 16 * i; i++, block += blockBytes, out += 16) {
        let from = counts + (<usize>i << 5), to = out;
        for (let p = count; p > 0; p--, from += 64, to += stride) {
          finish(to, v128.load(from), v128.load(from, 16), block, magic, lowest, highest, left - 16 * i);
        }
      }
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
