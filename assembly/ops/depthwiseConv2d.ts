// depthwiseConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ x[b, y, x, n / multiplier] · w[ky, kx, n]).
// Cells outside the picture are the input's zero point, which the packer has folded into the bias.
//
// Taps are summed two at a time by dot_i16x8, so the input is first laid out in planes of row pairs,
// for eight channels at a time. With rows counted from −padTop, plane k pairs rows 2k and 2k + 1, and
// serves every output row that touches either: an output row that starts on an even row meets weights
// (w0,w1)(w2,0), one that starts on an odd row meets (0,w0)(w1,w2). Each plane is made once.
// Where rows are dilated, plane k pairs kernel rows 2k and 2k + 1 and is made for each output row.
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
import { MAGIC_BITS, requantize, requantize16, requantize8 } from "../numeric/requantize";
import { depthwiseNarrow, pixelSums } from "../simd/extmul16";
import { storeTail } from "../simd/lanes";
import { narrow } from "../simd/machine";
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

// What the loops below share of a step; set by `vector`.
let pixels: i32 = 0;
let padLeft: i32 = 0;
let inW: i32 = 0;
let inC: i32 = 0;
let inH: i32 = 0;
let repeat: i32 = 0;
let zeroCells: usize = 0;
let ring: usize = 0;
let ringPlanes: i32 = 0;
let planeBytes: usize = 0;
let columnBytes: usize = 0;
let columns: i32 = 0;
let outW: i32 = 0;
let outC: i32 = 0;
let pixelStep: usize = 0;
let magicOffset: i32 = 0;
let least: i32 = 0;
let most: i32 = 0;

function vector(step: usize): void {
  const kernelH = field(step, Conv.KernelH), dilationH = field(step, Conv.DilationH);
  const strideH = field(step, Conv.StrideH), padTop = field(step, Conv.PadTop), outH = field(step, Conv.OutH);
  inH = field(step, Conv.InH);
  inW = field(step, Conv.InW);
  inC = field(step, Conv.InC);
  outW = field(step, Conv.OutW);
  outC = field(step, Conv.OutC);
  padLeft = field(step, Conv.PadLeft);
  repeat = outC / inC;
  pixels = rowPixels(step);
  planeBytes = (<usize>pixels) << 5;
  ringPlanes = planeCount(step);
  ring = address(step, Step.Scratch);
  zeroCells = ring + <usize>ringPlanes * planeBytes;
  store<u64>(zeroCells, 0x0101010101010101 * <u64>(<u8>field(step, Conv.InZero)));
  const oneRow = kernelH == 1;
  columns = oneRow ? (field(step, Conv.KernelW) + 1) >> 1 : field(step, Conv.KernelW);
  columnBytes = (<usize>field(step, Conv.DilationW)) << (oneRow ? 6 : 5);
  pixelStep = (<usize>field(step, Conv.StrideW)) << 5;
  magicOffset = MAGIC_BITS - field(step, Conv.OutZero);
  least = field(step, Conv.Min);
  most = field(step, Conv.Max);
  const shift = oneRow ? field(step, Conv.DilationW) : 0;
  const fresh = oneRow || dilationH > 1;
  const evenPlanes = (kernelH + 1) >> 1, oddPlanes = (kernelH + 2) >> 1;
  const oddWeights: usize = 64 + (<usize>evenTaps(step) << 5);
  const bytes = blockBytes(step);
  const inputBytes = <usize>(inH * inW * inC), outputRow = <usize>(outW * outC);
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
          rowOfEight(0, evenPlanes, block, block + 64, out, outC - c);
        } else {
          const first = top >> 1, odd = top & 1;
          const count = odd ? oddPlanes : evenPlanes;
          if (next < first) next = first;
          for (; next < first + count; next++) makePlane(next % ringPlanes, input, 2 * next - padTop, 2 * next + 1 - padTop, 0, c);
          rowOfEight(first % ringPlanes, count, block, block + (odd ? oddWeights : <usize>64), out, outC - c);
        }
        out += outputRow;
      }
      block += bytes;
    }
    input += inputBytes;
    output += outputRow * <usize>outH;
  }
}

/** Fills a plane of the ring: channels c … c + 7 of row ya, pixel x, beside those of row yb, pixel x + shift. */
function makePlane(slot: i32, input: usize, ya: i32, yb: i32, shift: i32, c: i32): void {
  const aInside = <u32>ya < <u32>inH, bInside = <u32>yb < <u32>inH;
  let at = ring + <usize>slot * planeBytes;
  const a = input + <usize>(ya * inW * inC), b = input + <usize>(yb * inW * inC);
  if (shift != 0 || repeat != 1) {
    for (let x = 0; x < pixels; x++) {
      const xa = x - padLeft, xb = xa + shift;
      const p = aInside && <u32>xa < <u32>inW ? eightChannels(a + <usize>(xa * inC), c) : v128.load8x8_s(zeroCells);
      const q = bInside && <u32>xb < <u32>inW ? eightChannels(b + <usize>(xb * inC), c) : v128.load8x8_s(zeroCells);
      v128.store(at, v128.shuffle<i16>(p, q, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(at, v128.shuffle<i16>(p, q, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      at += 32;
    }
    return;
  }
  const outside = v128.load8x8_s(zeroCells);
  const from = min(padLeft, pixels), to = min(pixels, padLeft + inW);
  let end = at + ((<usize>from) << 5);
  for (; at < end; at += 32) {
    v128.store(at, outside);
    v128.store(at, outside, 16);
  }
  // A row outside the picture is read as the same eight cells of zero point over and over.
  let p = aInside ? a + <usize>c : zeroCells, q = bInside ? b + <usize>c : zeroCells;
  const pStep: usize = aInside ? <usize>inC : 0, qStep: usize = bInside ? <usize>inC : 0;
  end = at + ((<usize>(to - from)) << 5);
  for (; at < end; at += 32) {
    const left = v128.load8x8_s(p), right = v128.load8x8_s(q);
    v128.store(at, v128.shuffle<i16>(left, right, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(at, v128.shuffle<i16>(left, right, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    p += pStep;
    q += qStep;
  }
  end = at + ((<usize>(pixels - to)) << 5);
  for (; at < end; at += 32) {
    v128.store(at, outside);
    v128.store(at, outside, 16);
  }
}

/** Output channels c … c + 7 of a pixel, each input channel `repeat` times. Past the last one: any value. */
function eightChannels(pixel: usize, c: i32): v128 {
  if (repeat == 1) return v128.load8x8_s(pixel + <usize>c);
  if (inC == 1) return i16x8.splat(<i16>load<i8>(pixel));
  let bytes: i64 = 0;
  for (let lane = 7; lane >= 0; lane--) {
    const channel = min((c + lane) / repeat, inC - 1);
    bytes = (bytes << 8) | <i64>load<u8>(pixel + <usize>channel);
  }
  return i16x8.extend_low_i8x16_s(i64x2.splat(bytes));
}

/** One output row of eight (or, at the end, `count` < 8) channels from `planes` planes of the ring. */
function rowOfEight(first: i32, planes: i32, block: usize, weights: usize, out: usize, count: i32): void {
  const low = i8x16.splat(<i8>least), high = i8x16.splat(<i8>most), offset = i32x4.splat(magicOffset);
  const bias0 = v128.load(block), bias1 = v128.load(block, 16);
  const multipliers = block + 32;
  const stride = <usize>outC;
  const ringEnd = ring + <usize>ringPlanes * planeBytes;
  const start = ring + <usize>first * planeBytes;
  const width = outW;
  const pixel = pixelStep, column = columnBytes, taps = columns;
  let x = 0;
  while (x < width) {
    let w = weights;
    let plane = start + <usize>x * pixel;
    if (width >= 4 && width - x != 1) {
      if (x + 4 > width) {
        // The last tile starts early and writes some pixels again, with the same bytes.
        x = width - 4;
        plane = start + <usize>x * pixel;
      }
      let a0 = bias0, a1 = bias1, b0 = bias0, b1 = bias1, c0 = bias0, c1 = bias1, d0 = bias0, d1 = bias1;
      if (narrow) {
        depthwiseNarrow(plane, planes, planeBytes, ringEnd, <usize>ringPlanes * planeBytes, w, taps, pixel, column);
        a0 = i32x4.add(a0, v128.load(pixelSums));
        a1 = i32x4.add(a1, v128.load(pixelSums, 16));
        b0 = i32x4.add(b0, v128.load(pixelSums, 32));
        b1 = i32x4.add(b1, v128.load(pixelSums, 48));
        c0 = i32x4.add(c0, v128.load(pixelSums, 64));
        c1 = i32x4.add(c1, v128.load(pixelSums, 80));
        d0 = i32x4.add(d0, v128.load(pixelSums, 96));
        d1 = i32x4.add(d1, v128.load(pixelSums, 112));
      } else for (let k = 0; k < planes; k++) {
        let a = plane;
        for (let t = 0; t < taps; t++) {
          const w0 = v128.load(w), w1 = v128.load(w, 16);
          w += 32;
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(a), w0));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(a, 16), w1));
          const b = a + pixel;
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.load(b), w0));
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.load(b, 16), w1));
          const c = b + pixel;
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.load(c), w0));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.load(c, 16), w1));
          const d = c + pixel;
          d0 = i32x4.add(d0, i32x4.dot_i16x8_s(v128.load(d), w0));
          d1 = i32x4.add(d1, i32x4.dot_i16x8_s(v128.load(d, 16), w1));
          a += column;
        }
        plane += planeBytes;
        if (plane >= ringEnd) plane -= <usize>ringPlanes * planeBytes;
      }
      const ab = requantize16(a0, a1, b0, b1, multipliers, multipliers, offset, low, high);
      const cd = requantize16(c0, c1, d0, d1, multipliers, multipliers, offset, low, high);
      let o = out + <usize>x * stride;
      if (count >= 8) {
        v128.store64_lane(o, ab, 0);
        o += stride;
        v128.store64_lane(o, ab, 1);
        o += stride;
        v128.store64_lane(o, cd, 0);
        o += stride;
        v128.store64_lane(o, cd, 1);
      } else {
        storeTail(o, v128.extract_lane<i64>(ab, 0), count);
        storeTail(o + stride, v128.extract_lane<i64>(ab, 1), count);
        storeTail(o + 2 * stride, v128.extract_lane<i64>(cd, 0), count);
        storeTail(o + 3 * stride, v128.extract_lane<i64>(cd, 1), count);
      }
      x += 4;
    } else {
      let s0 = bias0, s1 = bias1;
      for (let k = 0; k < planes; k++) {
        let a = plane;
        for (let t = 0; t < taps; t++) {
          s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(a), v128.load(w)));
          s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(a, 16), v128.load(w, 16)));
          w += 32;
          a += column;
        }
        plane += planeBytes;
        if (plane >= ringEnd) plane -= <usize>ringPlanes * planeBytes;
      }
      const q = requantize8(s0, s1, multipliers, offset, low, high);
      storeTail(out + <usize>x * stride, v128.extract_lane<i64>(q, 0), min(count, 8));
      x++;
    }
  }
}

function scalar(step: usize): void {
  inH = field(step, Conv.InH);
  inW = field(step, Conv.InW);
  inC = field(step, Conv.InC);
  outC = field(step, Conv.OutC);
  repeat = outC / inC;
  const kernelH = field(step, Conv.KernelH), kernelW = field(step, Conv.KernelW);
  const inZero = field(step, Conv.InZero);
  const bytes = blockBytes(step);
  const blocks = address(step, Step.Params);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++, input += <usize>(inH * inW * inC)) {
    for (let oy = 0; oy < field(step, Conv.OutH); oy++) {
      for (let ox = 0; ox < field(step, Conv.OutW); ox++) {
        const top = oy * field(step, Conv.StrideH) - field(step, Conv.PadTop);
        const left = ox * field(step, Conv.StrideW) - field(step, Conv.PadLeft);
        for (let n = 0; n < outC; n++) {
          const block = blocks + <usize>(n >> 3) * bytes;
          const lane = (<usize>(n & 7)) << 2;
          let acc = load<i32>(block + lane);
          for (let ky = 0; ky < kernelH; ky++) {
            const y = top + ky * field(step, Conv.DilationH);
            for (let kx = 0; kx < kernelW; kx++) {
              const x = left + kx * field(step, Conv.DilationW);
              const outside = <u32>y >= <u32>inH || <u32>x >= <u32>inW;
              const value = outside ? inZero : <i32>load<i8>(input + <usize>((y * inW + x) * inC + n / repeat));
              const tap = kernelH == 1 ? kx >> 1 : (ky >> 1) * kernelW + kx;
              const second = kernelH == 1 ? kx & 1 : ky & 1;
              acc += value * <i32>load<i16>(block + 64 + <usize>(tap * 32 + second * 2) + lane);
            }
          }
          const multiplier = load<f32>(block + 32 + lane);
          store<i8>(output++, <i8>requantize(acc, multiplier, field(step, Conv.Min), field(step, Conv.Max), field(step, Conv.OutZero)));
        }
      }
    }
  }
}
