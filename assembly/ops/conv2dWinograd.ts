// conv2d, 3×3 with stride 1, by Winograd's F(2×2, 3×3) in exact integers (Lavin & Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2016): four outputs for sixteen products a channel
// instead of thirty-six. No precision is lost: dot_i16x8 multiplies int16, and
//
//   V = Bᵀ d B                 |V| ≤ 4·128 of int8 inputs d, a 4×4 tile at every second row and column
//   U = (2G) g (2G)ᵀ           |U| ≤ 9·127 of int8 weights g, made by the packer
//   4·Y = Aᵀ (Σ U·V) A         a multiple of 4; int32 as long as InC ≤ MAX_IN
//
//   params, a block of eight outputs:  ├ bias i32×8 ┼ multiplier f32×8 ┼ U₀ ┼ U₁ ┼ … U₁₅ ┤  Uₖ: pairs of inputs × 8 outputs, int16
//   scratch:  ├ row ring, 4 rows ┼ V: 16 × tiles × InC int16 ┼ products: 16 × tiles × 8 int32 ┤  tiles: a row of them, padded to 4
//
// Invariant: equals the direct convolution bit for bit; tiles that only pad a row are never stored.

import { Conv, Status, Step } from "../abi";
import { address, field, hasParams, hasScratch } from "../memory";
import { MAGIC_BITS, requantize, requantize16 } from "../numeric/requantize";
import { multiplyNarrow } from "../simd/extmul16";
import { storeTail } from "../simd/lanes";
import { narrow } from "../simd/machine";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";

/** Most input channels for which 4·Y stays in int32. */
const MAX_IN: i32 = 3600;

/** The dimensions have been checked as any convolution's. */
export function checkWinograd(step: usize): i32 {
  const inC = field(step, Conv.InC);
  if (
    field(step, Conv.KernelH) != 3 || field(step, Conv.KernelW) != 3 ||
    field(step, Conv.StrideH) != 1 || field(step, Conv.StrideW) != 1 ||
    field(step, Conv.DilationH) != 1 || field(step, Conv.DilationW) != 1 ||
    (inC & 7) != 0 || inC > MAX_IN
  ) {
    return Status.Shape;
  }
  const blocks = <u64>((field(step, Conv.OutC) + 7) >> 3);
  if (!hasParams(step, blocks * (64 + 256 * <u64>inC))) return Status.Params;
  const tiles = <u64>paddedTiles(step);
  const bytes = 4 * slotBytes16(ringPixels(step), inC) + tiles * (<u64>inC * 32 + 512);
  return hasScratch(step, bytes) ? Status.Ok : Status.Scratch;
}

function tilesInRow(step: usize): i32 {
  return (field(step, Conv.OutW) + 1) >> 1;
}

function paddedTiles(step: usize): i32 {
  return (tilesInRow(step) + 3) & ~3;
}

function ringPixels(step: usize): i32 {
  return 2 * tilesInRow(step) + 2;
}

export function runWinograd(step: usize): void {
  if (ASC_FEATURE_SIMD) vector(step);
  else scalar(step);
}

function vector(step: usize): void {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW);
  const padTop = field(step, Conv.PadTop);
  const tiles = tilesInRow(step), padded = paddedTiles(step);
  const slot = <usize>slotBytes16(ringPixels(step), inC);
  const ring = address(step, Step.Scratch);
  const planes = ring + 4 * slot;
  const planeBytes = <usize>(padded * inC) << 1;
  const products = planes + 16 * planeBytes;
  const blockBytes: usize = 64 + 256 * <usize>inC;
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  ringSetup(
    ring, 4, slot, ringPixels(step),
    field(step, Conv.InH), field(step, Conv.InW), inC, field(step, Conv.PadLeft), field(step, Conv.InZero),
  );
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++) {
    ringStart(input, -padTop);
    for (let oy = 0; oy < outH; oy += 2) {
      const top = oy - padTop;
      ringAdvance<i16>(top, top + 3);
      transformInput(ringRow(top), ringRow(top + 1), ringRow(top + 2), ringRow(top + 3), planes, planeBytes, inC, tiles);
      const rows = min(2, outH - oy);
      let block = address(step, Step.Params);
      for (let n = 0; n < outC; n += 8) {
        let u = block + 64;
        for (let k = 0; k < 16; k++) {
          const plane = planes + <usize>k * planeBytes, sums = products + <usize>k * ((<usize>padded) << 5);
          if (narrow) multiplyNarrow(plane, u, sums, inC, padded);
          else multiply(plane, u, sums, inC, padded);
          u += (<usize>inC) << 4;
        }
        transformOutput(
          step, products, (<usize>padded) << 5, block,
          output + <usize>(oy * outW * outC + n), rows, outC - n,
        );
        block += blockBytes;
      }
    }
    input += inputBytes;
    output += <usize>(outH * outW * outC);
  }
}

/** V of a row of tiles. Vertical sums of a column serve two neighbouring tiles. */
function transformInput(r0: usize, r1: usize, r2: usize, r3: usize, planes: usize, plane: usize, inC: i32, tiles: i32): void {
  const pixel = (<usize>inC) << 1;
  for (let c: usize = 0; c < pixel; c += 16) {
    let at = c, v = planes + c;
    let d0 = v128.load(r0 + at), d1 = v128.load(r1 + at), d2 = v128.load(r2 + at), d3 = v128.load(r3 + at);
    let a0 = i16x8.sub(d0, d2), a1 = i16x8.add(d1, d2), a2 = i16x8.sub(d2, d1), a3 = i16x8.sub(d1, d3);
    at += pixel;
    d0 = v128.load(r0 + at); d1 = v128.load(r1 + at); d2 = v128.load(r2 + at); d3 = v128.load(r3 + at);
    let b0 = i16x8.sub(d0, d2), b1 = i16x8.add(d1, d2), b2 = i16x8.sub(d2, d1), b3 = i16x8.sub(d1, d3);
    for (let t = 0; t < tiles; t++) {
      at += pixel;
      d0 = v128.load(r0 + at); d1 = v128.load(r1 + at); d2 = v128.load(r2 + at); d3 = v128.load(r3 + at);
      const c0 = i16x8.sub(d0, d2), c1 = i16x8.add(d1, d2), c2 = i16x8.sub(d2, d1), c3 = i16x8.sub(d1, d3);
      at += pixel;
      d0 = v128.load(r0 + at); d1 = v128.load(r1 + at); d2 = v128.load(r2 + at); d3 = v128.load(r3 + at);
      const e0 = i16x8.sub(d0, d2), e1 = i16x8.add(d1, d2), e2 = i16x8.sub(d2, d1), e3 = i16x8.sub(d1, d3);
      fourPlanes(v, plane, a0, b0, c0, e0);
      fourPlanes(v + 4 * plane, plane, a1, b1, c1, e1);
      fourPlanes(v + 8 * plane, plane, a2, b2, c2, e2);
      fourPlanes(v + 12 * plane, plane, a3, b3, c3, e3);
      v += pixel;
      a0 = c0; a1 = c1; a2 = c2; a3 = c3;
      b0 = e0; b1 = e1; b2 = e2; b3 = e3;
    }
  }
}

// @ts-ignore: decorator
@inline
function fourPlanes(v: usize, plane: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(v, i16x8.sub(a, c));
  v += plane;
  v128.store(v, i16x8.add(b, c));
  v += plane;
  v128.store(v, i16x8.sub(c, b));
  v += plane;
  v128.store(v, i16x8.sub(b, d));
}

/** [tiles, inC] · [inC, 8] → [tiles, 8] int32; tiles a multiple of four. */
function multiply(a: usize, u: usize, out: usize, inC: i32, tiles: i32): void {
  const row = (<usize>inC) << 1;
  for (let t = 0; t < tiles; t += 4) {
    let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
    let a0 = a, a1 = a0 + row, a2 = a1 + row, a3 = a2 + row;
    const end = a1;
    let w = u;
    while (a0 < end) {
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      w += 32;
      const x0 = v128.load32_splat(a0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x0, w0));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x0, w1));
      const x1 = v128.load32_splat(a1);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x1, w0));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x1, w1));
      const x2 = v128.load32_splat(a2);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x2, w0));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x2, w1));
      const x3 = v128.load32_splat(a3);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x3, w0));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x3, w1));
      a0 += 4; a1 += 4; a2 += 4; a3 += 4;
    }
    v128.store(out, c00); v128.store(out, c01, 16);
    v128.store(out, c10, 32); v128.store(out, c11, 48);
    v128.store(out, c20, 64); v128.store(out, c21, 80);
    v128.store(out, c30, 96); v128.store(out, c31, 112);
    out += 128;
    a += 4 * row;
  }
}

/** Aᵀ M A of eight channels of a row of tiles, requantized: `rows` (1 or 2) output rows from `out`. */
function transformOutput(step: usize, products: usize, plane: usize, block: usize, out: usize, rows: i32, count: i32): void {
  const outW = field(step, Conv.OutW);
  const stride = <usize>field(step, Conv.OutC);
  const low = i8x16.splat(<i8>field(step, Conv.Min)), high = i8x16.splat(<i8>field(step, Conv.Max));
  const offset = i32x4.splat(MAGIC_BITS - field(step, Conv.OutZero));
  const multipliers = block + 32;
  const nextRow = <usize>outW * stride;
  for (let x = 0; x < outW; x += 2) {
    // Each half of the eight channels leaves its four outputs in the tile's first product vectors.
    fourOutputs(products, plane, v128.load(block));
    fourOutputs(products + 16, plane, v128.load(block, 16));
    const upper = requantize16(
      v128.load(products), v128.load(products, 16), v128.load(products + plane), v128.load(products + plane, 16),
      multipliers, multipliers, offset, low, high,
    );
    storePair(out, stride, upper, outW - x, count);
    if (rows == 2) {
      const p2 = products + 2 * plane, p3 = p2 + plane;
      const lower = requantize16(
        v128.load(p2), v128.load(p2, 16), v128.load(p3), v128.load(p3, 16),
        multipliers, multipliers, offset, low, high,
      );
      storePair(out + nextRow, stride, lower, outW - x, count);
    }
    products += 32;
    out += 2 * stride;
  }
}

/** Four channels' sixteen products to y00 y01 y10 y11 with the bias, written over products 0 … 3. */
// @ts-ignore: decorator
@inline
function fourOutputs(m: usize, plane: usize, bias: v128): void {
  const row1 = m + 4 * plane, row2 = m + 8 * plane, row3 = m + 12 * plane;
  const p2: usize = 2 * plane, p3: usize = 3 * plane;
  let a = v128.load(row1), b = v128.load(row2);
  const t0 = i32x4.add(v128.load(m), i32x4.add(a, b)), s0 = i32x4.sub(i32x4.sub(a, b), v128.load(row3));
  a = v128.load(row1 + plane); b = v128.load(row2 + plane);
  const t1 = i32x4.add(v128.load(m + plane), i32x4.add(a, b)), s1 = i32x4.sub(i32x4.sub(a, b), v128.load(row3 + plane));
  a = v128.load(row1 + p2); b = v128.load(row2 + p2);
  const t2 = i32x4.add(v128.load(m + p2), i32x4.add(a, b)), s2 = i32x4.sub(i32x4.sub(a, b), v128.load(row3 + p2));
  a = v128.load(row1 + p3); b = v128.load(row2 + p3);
  const t3 = i32x4.add(v128.load(m + p3), i32x4.add(a, b)), s3 = i32x4.sub(i32x4.sub(a, b), v128.load(row3 + p3));
  v128.store(m, i32x4.add(bias, i32x4.shr_s(i32x4.add(t0, i32x4.add(t1, t2)), 2)));
  v128.store(m + plane, i32x4.add(bias, i32x4.shr_s(i32x4.sub(i32x4.sub(t1, t2), t3), 2)));
  v128.store(m + p2, i32x4.add(bias, i32x4.shr_s(i32x4.add(s0, i32x4.add(s1, s2)), 2)));
  v128.store(m + p3, i32x4.add(bias, i32x4.shr_s(i32x4.sub(i32x4.sub(s1, s2), s3), 2)));
}

/** Two pixels of eight channels, less where the row or the channels end. */
// @ts-ignore: decorator
@inline
function storePair(out: usize, stride: usize, q: v128, pixels: i32, count: i32): void {
  if (count >= 8) {
    v128.store64_lane(out, q, 0);
    if (pixels > 1) v128.store64_lane(out + stride, q, 1);
  } else {
    storeTail(out, v128.extract_lane<i64>(q, 0), count);
    if (pixels > 1) storeTail(out + stride, v128.extract_lane<i64>(q, 1), count);
  }
}

/** The same sums tile by tile: what a tile has to say of one output channel is sixteen products. */
function scalar(step: usize): void {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  const inH = field(step, Conv.InH), inW = field(step, Conv.InW);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW);
  const blockBytes: usize = 64 + 256 * <usize>inC;
  const v = address(step, Step.Scratch);
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++) {
    for (let oy = 0; oy < outH; oy += 2) {
      for (let ox = 0; ox < outW; ox += 2) {
        const top = oy - field(step, Conv.PadTop), left = ox - field(step, Conv.PadLeft);
        for (let c = 0; c < inC; c++) tileOf(step, input, top, left, inH, inW, inC, c, v + <usize>(c * 64));
        for (let n = 0; n < outC; n++) {
          const block = address(step, Step.Params) + <usize>(n >> 3) * blockBytes, lane = <usize>(n & 7);
          const at = output + <usize>((oy * outW + ox) * outC + n);
          fourSums(step, v, inC, block, lane, at, min(2, outH - oy), min(2, outW - ox));
        }
      }
    }
    input += <usize>(inH * inW * inC);
    output += <usize>(outH * outW * outC);
  }
}

/** V of one tile and channel: sixteen int32. */
function tileOf(step: usize, input: usize, top: i32, left: i32, inH: i32, inW: i32, inC: i32, c: i32, v: usize): void {
  for (let column = 0; column < 4; column++) {
    const d0 = cellOf(step, input, top, left + column, inH, inW, inC, c);
    const d1 = cellOf(step, input, top + 1, left + column, inH, inW, inC, c);
    const d2 = cellOf(step, input, top + 2, left + column, inH, inW, inC, c);
    const d3 = cellOf(step, input, top + 3, left + column, inH, inW, inC, c);
    const at = v + <usize>(column * 4);
    store<i32>(at, d0 - d2);
    store<i32>(at, d1 + d2, 16);
    store<i32>(at, d2 - d1, 32);
    store<i32>(at, d1 - d3, 48);
  }
  for (let row = 0; row < 4; row++, v += 16) {
    const a = load<i32>(v), b = load<i32>(v, 4), d = load<i32>(v, 8), e = load<i32>(v, 12);
    store<i32>(v, a - d);
    store<i32>(v, b + d, 4);
    store<i32>(v, d - b, 8);
    store<i32>(v, b - e, 12);
  }
}

function cellOf(step: usize, input: usize, y: i32, x: i32, inH: i32, inW: i32, inC: i32, c: i32): i32 {
  if (<u32>y >= <u32>inH || <u32>x >= <u32>inW) return field(step, Conv.InZero);
  return <i32>load<i8>(input + <usize>((y * inW + x) * inC + c));
}

/** The sum of product k over all channels. */
function productOf(v: usize, inC: i32, u: usize, k: i32): i32 {
  let sum = 0;
  u += <usize>(k * inC * 16);
  for (let c = 0; c < inC; c++) {
    sum += load<i32>(v + <usize>(c * 64 + k * 4)) * <i32>load<i16>(u + <usize>((c >> 1) * 32 + (c & 1) * 2));
  }
  return sum;
}

function fourSums(step: usize, v: usize, inC: i32, block: usize, lane: usize, at: usize, rows: i32, columns: i32): void {
  const u = block + 64 + (lane << 2);
  const bias = load<i32>(block + (lane << 2)), multiplier = load<f32>(block + 32 + (lane << 2));
  let y00 = 0, y01 = 0, y10 = 0, y11 = 0;
  for (let column = 0; column < 4; column++) {
    const a = productOf(v, inC, u, column), b = productOf(v, inC, u, 4 + column);
    const c = productOf(v, inC, u, 8 + column), d = productOf(v, inC, u, 12 + column);
    const upper = a + b + c, lower = b - c - d;
    if (column < 3) {
      y00 += upper;
      y10 += lower;
    }
    if (column == 1) {
      y01 += upper;
      y11 += lower;
    } else if (column > 1) {
      y01 -= upper;
      y11 -= lower;
    }
  }
  const stride = <usize>field(step, Conv.OutC), below = <usize>field(step, Conv.OutW) * stride;
  storeSum(step, at, bias + (y00 >> 2), multiplier);
  if (columns > 1) storeSum(step, at + stride, bias + (y01 >> 2), multiplier);
  if (rows > 1) storeSum(step, at + below, bias + (y10 >> 2), multiplier);
  if (rows > 1 && columns > 1) storeSum(step, at + below + stride, bias + (y11 >> 2), multiplier);
}

function storeSum(step: usize, at: usize, acc: i32, multiplier: f32): void {
  store<i8>(at, <i8>requantize(acc, multiplier, field(step, Conv.Min), field(step, Conv.Max), field(step, Conv.OutZero)));
}
