// The planes of row pairs that depthwiseConv2d multiplies, and the products: see its file for what a
// plane is and how it is laid out. Invariant: a plane holds exactly the pixels −padLeft …
// −padLeft + pixels − 1 of its two rows, each outside cell being the input's zero point; a tile never
// reads past the planes of its row.

import { Conv, Step } from "../abi";
import { address, field } from "../memory";
import { MAGIC_BITS, calm, calm16, calmFour, requantize8 } from "../numeric/requantize";
import { depthwiseNarrow, pixelSums } from "./extmul16";
import { storeFour, storeTail } from "./lanes";
import { narrow } from "./machine";

// What the loops share of a step; set by `setPlanes`.
let pixels: i32 = 0;
let padLeft: i32 = 0;
let inW: i32 = 0;
let inC: i32 = 0;
let inH: i32 = 0;
/** bytes from a pixel to the next of its row, and to the next row's */
let inStep: usize = 0;
let inRow: usize = 0;
let repeat: i32 = 0;
let zeroCells: usize = 0;
let ring: usize = 0;
let ringPlanes: i32 = 0;
let planeBytes: usize = 0;
let columnBytes: usize = 0;
let columns: i32 = 0;
let outW: i32 = 0;
let outStep: usize = 0;
let pixelStep: usize = 0;
let magicOffset: i32 = 0;
let least: i32 = 0;
let most: i32 = 0;

/** Prepares for a step whose rows are `width` pixels wide and whose ring, in its scratch, holds `count` planes. */
export function setPlanes(step: usize, width: i32, count: i32): void {
  inH = field(step, Conv.InH);
  inW = field(step, Conv.InW);
  inC = field(step, Conv.InC);
  outW = field(step, Conv.OutW);
  padLeft = field(step, Conv.PadLeft);
  repeat = field(step, Conv.OutC) / inC;
  const turned = field(step, Conv.Turned) != 0;
  inStep = <usize>(turned ? inH * inC : inC);
  inRow = <usize>(turned ? inC : inW * inC);
  outStep = <usize>(turned ? field(step, Conv.OutH) * field(step, Conv.OutC) : field(step, Conv.OutC));
  pixels = width;
  planeBytes = (<usize>pixels) << 5;
  ringPlanes = count;
  ring = address(step, Step.Scratch);
  zeroCells = ring + <usize>ringPlanes * planeBytes;
  store<u64>(zeroCells, 0x0101010101010101 * <u64>(<u8>field(step, Conv.InZero)));
  const oneRow = field(step, Conv.KernelH) == 1;
  columns = oneRow ? (field(step, Conv.KernelW) + 1) >> 1 : field(step, Conv.KernelW);
  columnBytes = (<usize>field(step, Conv.DilationW)) << (oneRow ? 6 : 5);
  pixelStep = (<usize>field(step, Conv.StrideW)) << 5;
  magicOffset = MAGIC_BITS - field(step, Conv.OutZero);
  least = field(step, Conv.Min);
  most = field(step, Conv.Max);
}

/** Fills a plane of the ring: channels c … c + 7 of row ya, pixel x, beside those of row yb, pixel x + shift. */
export function makePlane(slot: i32, input: usize, ya: i32, yb: i32, shift: i32, c: i32): void {
  const aInside = <u32>ya < <u32>inH, bInside = <u32>yb < <u32>inH;
  let at = ring + <usize>slot * planeBytes;
  const a = input + <usize>ya * inRow, b = input + <usize>yb * inRow;
  if (shift != 0 || repeat != 1) {
    for (let x = 0; x < pixels; x++) {
      const xa = x - padLeft, xb = xa + shift;
      const p = aInside && <u32>xa < <u32>inW ? eightChannels(a + <usize>xa * inStep, c) : v128.load8x8_s(zeroCells);
      const q = bInside && <u32>xb < <u32>inW ? eightChannels(b + <usize>xb * inStep, c) : v128.load8x8_s(zeroCells);
      v128.store(at, v128.shuffle<i16>(p, q, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(at, v128.shuffle<i16>(p, q, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      at += 32;
    }
    return;
  }
  const outside = v128.load8x8_s(zeroCells);
  const from = min(padLeft, pixels), to = min(pixels, padLeft + inW);
  at = fillPixels(at, from, outside);
  // A row outside the picture is read as the same eight cells of zero point over and over.
  let p = aInside ? a + <usize>c : zeroCells, q = bInside ? b + <usize>c : zeroCells;
  const pStep: usize = aInside ? inStep : 0, qStep: usize = bInside ? inStep : 0;
  const end = at + ((<usize>(to - from)) << 5);
  for (; at < end; at += 32) {
    const left = v128.load8x8_s(p), right = v128.load8x8_s(q);
    v128.store(at, v128.shuffle<i16>(left, right, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(at, v128.shuffle<i16>(left, right, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    p += pStep;
    q += qStep;
  }
  fillPixels(at, pixels - to, outside);
}

/** The end of `count` pixels outside the picture. */
function fillPixels(at: usize, count: i32, cells: v128): usize {
  const end = at + ((<usize>count) << 5);
  for (; at < end; at += 32) {
    v128.store(at, cells);
    v128.store(at, cells, 16);
  }
  return end;
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

export function outputRow(first: i32, planes: i32, block: usize, weights: usize, out: usize, count: i32): void {
  // A fifth or ninth pixel is cheaper alone than in a tile that starts early.
  const three = calm && !narrow && columns == 3 && columnBytes == 32 && outW >= 4 && outW != 5 && outW != 9;
  if (three && pixelStep == 32) rowOfThree<i32>(first, planes, block, weights, out, count);
  else if (three && pixelStep == 64) rowOfThree<f32>(first, planes, block, weights, out, count);
  else rowOfEight(first, planes, block, weights, out, count);
}

/** One output row of eight (or, at the end, `count` < 8) channels from `planes` planes of the ring. */
function rowOfEight(first: i32, planes: i32, block: usize, weights: usize, out: usize, count: i32): void {
  const low = i8x16.splat(<i8>least), high = i8x16.splat(<i8>most), offset = i32x4.splat(magicOffset);
  const bias0 = v128.load(block), bias1 = v128.load(block, 16);
  const multipliers = block + 32;
  const stride = outStep;
  const ringEnd = ring + <usize>ringPlanes * planeBytes;
  const start = ring + <usize>first * planeBytes;
  const width = outW;
  const pixel = pixelStep, column = columnBytes, taps = columns;
  let x = 0;
  while (x < width) {
    let w = weights;
    let plane = start + <usize>x * pixel;
    if (calm && width >= 4 && width - x != 1) {
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
      const ab = calm16(a0, a1, b0, b1, multipliers, offset, low, high);
      const cd = calm16(c0, c1, d0, d1, multipliers, offset, low, high);
      storeFour(out + <usize>x * stride, stride, ab, cd, count);
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

/**
 * The same for a kernel three columns wide: each cell of a plane is loaded once for all the taps and
 * pixels it meets. STRIDE: an integer type for columns one apart, a float type for two apart.
 */
function rowOfThree<STRIDE>(first: i32, planes: i32, block: usize, weights: usize, out: usize, count: i32): void {
  const low = i8x16.splat(<i8>least), high = i8x16.splat(<i8>most), offset = i32x4.splat(magicOffset);
  const stride = outStep;
  const start = ring + <usize>first * planeBytes;
  const width = outW, pixel: usize = isInteger<STRIDE>() ? 32 : 64;
  for (let x = 0; x < width; x += 4) {
    // The last tile starts early and writes some pixels again, with the same bytes.
    if (x + 4 > width) x = width - 4;
    const p = start + <usize>x * pixel;
    const lower = fourOfThree<STRIDE>(p, planes, block, weights, offset, low, high);
    const upper = fourOfThree<STRIDE>(p + 16, planes, block + 16, weights + 16, offset, low, high);
    storeFour(
      out + <usize>x * stride, stride,
      v128.shuffle<i32>(lower, upper, 0, 4, 1, 5), v128.shuffle<i32>(lower, upper, 2, 6, 3, 7), count,
    );
  }
}

/** Four channels of four pixels, pixel after pixel. */
// @ts-ignore: decorator
@inline
function fourOfThree<STRIDE>(
  p: usize, planes: i32, block: usize, w: usize, offset: v128, low: v128, high: v128,
): v128 {
  const ringBytes = <usize>ringPlanes * planeBytes, ringEnd = ring + ringBytes;
  let a = v128.load(block), b = a, c = a, d = a;
  for (let k = planes; k > 0; k--) {
    const w0 = v128.load(w), w1 = v128.load(w, 32), w2 = v128.load(w, 64);
    if (isInteger<STRIDE>()) {
      let v = v128.load(p, 0);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, w0));
      v = v128.load(p, 32);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, w1));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, w0));
      v = v128.load(p, 64);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, w2));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, w1));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, w0));
      v = v128.load(p, 96);
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, w2));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, w1));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v, w0));
      v = v128.load(p, 128);
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, w2));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v, w1));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load(p, 160), w2));
    } else {
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(p, 0), w0));
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(p, 32), w1));
      let v = v128.load(p, 64);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, w2));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, w0));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load(p, 96), w1));
      v = v128.load(p, 128);
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, w2));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, w0));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load(p, 160), w1));
      v = v128.load(p, 192);
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, w2));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v, w0));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load(p, 224), w1));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load(p, 256), w2));
    }
    w += 96;
    p += planeBytes;
    if (p >= ringEnd) p -= ringBytes;
  }
  return calmFour(a, b, c, d, v128.load(block, 32), offset, low, high);
}
