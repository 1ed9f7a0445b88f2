// conv2d, 3×3 with stride 1, by Winograd's F(4×4, 3×3) in exact integers (Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016): sixteen outputs for thirty-six products a channel instead of 144.
// The algorithm's fractions are scaled away, and what the scales leave is divided out of the sums at the end:
//
//   V = Bᵀ d B            |V| ≤ 100·128 of int8 inputs d, a 6×6 tile at every fourth row and column
//   U = G' g G'ᵀ          |U| ≤ 144·128 of int8 weights g; rows of G' are rows of G times 24, 12, 12, 24, 24, 12
//   9·2ˢ·Y = Aᵀ (Σ U·V) A      s = 6, 5 or 4: 24·24, 24·12 or 12·12 = 9·2ˢ
//
// Both transforms fit in int16, so dot_i16x8 multiplies them; the sums may pass int32 and wrap. Times the inverse of
// nine modulo 2³² they are 2ˢ·Y again, exact as long as |Y| < 2²⁵, which the packer makes sure of.
//
//   params: the blocks of the direct kernel (simd/gemm.ts). `load` makes U of them, once, at Input2 in the arena:
//           ├ U₀ ┼ U₁ ┼ … U₃₅ ┤ of eight outputs, then the next eight     Uₖ: pairs of inputs × 8 outputs, int16
//   scratch:  ├ row ring, 4·band + 2 rows ┼ six rows' vertical sums ┼ V: 36 × tiles × InC int16 ┼ products: 36 × tiles × 8 int32 ┤
//   tiles:    those of `band` rows of tiles, together a multiple of four if they can be, padded to one
//
// Invariant: equals the direct convolution bit for bit; tiles that only pad are never stored. The scalar build
// convolves directly.

import { Conv, Status, Step } from "../abi";
import { address, canWrite, field, hasScratch } from "../memory";
import { MAGIC_BITS, requantize16 } from "../numeric/requantize";
import { multiplyNarrow } from "../simd/extmul16";
import { storeTail, zeros } from "../simd/lanes";
import { narrow } from "../simd/machine";
import { ringAdvance, ringRow, ringSetup, ringStart, slotBytes16 } from "../simd/rowRing";

/** Keeps every 32-bit product of sizes below 2^31. */
const MAX_IN: i32 = 4096;
/** 9 · INVERSE = 1 modulo 2³². */
const INVERSE: i32 = 954437177;

/** The dimensions and the params have been checked as any convolution's. */
export function checkWinograd(step: usize): i32 {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC), band = field(step, Conv.Band);
  if (
    field(step, Conv.KernelH) != 3 || field(step, Conv.KernelW) != 3 ||
    field(step, Conv.StrideH) != 1 || field(step, Conv.StrideW) != 1 ||
    field(step, Conv.DilationH) != 1 || field(step, Conv.DilationW) != 1 ||
    (inC & 7) != 0 || inC > MAX_IN || band < 1 || band > 4
  ) {
    return Status.Shape;
  }
  if (!canWrite(step, Step.Input2, (<u64>((outC + 7) >> 3)) * 576 * <u64>inC)) return Status.Write;
  const tiles = <u64>paddedTiles(step), pixels = ringPixels(step);
  const bytes = (4 * <u64>band + 2) * slotBytes16(pixels, inC) + 12 * <u64>pixels * <u64>inC + tiles * (<u64>inC * 72 + 1152);
  return hasScratch(step, bytes) ? Status.Ok : Status.Scratch;
}

function tilesInRow(step: usize): i32 {
  return (field(step, Conv.OutW) + 3) >> 2;
}

function paddedTiles(step: usize): i32 {
  return (field(step, Conv.Band) * tilesInRow(step) + 3) & ~3;
}

function ringPixels(step: usize): i32 {
  return 4 * tilesInRow(step) + 2;
}

/** Where a tap's weights of a pair lie, `t` pairs after the tap before. */
const taps: usize = memory.data(18 * 16);

/** Makes U of the params. */
export function prepareWinograd(step: usize): void {
  const inC = field(step, Conv.InC);
  const tap = <usize>inC << 3;
  let block = address(step, Step.Params), u = address(step, Step.Input2);
  for (let n = field(step, Conv.OutC); n > 0; n -= 8) {
    block += 64;
    for (let c = 0; c < inC; c += 2) {
      for (let half: usize = 0; half < 16; half += 8) {
        // down the columns: taps[i·3 + kx], i = 0 … 5
        let w = block + half;
        for (let kx: usize = 0; kx < 48; kx += 16, w += tap) {
          sixOfWeights(v128.load8x8_s(w), v128.load8x8_s(w + 3 * tap), v128.load8x8_s(w + 6 * tap), taps + kx, 48);
        }
        // along the rows
        let to = u + 2 * half;
        for (let i: usize = 0; i < 6 * 48; i += 48) {
          sixOfWeights(v128.load(taps + i), v128.load(taps + i, 16), v128.load(taps + i, 32), to, tap << 1);
          to += 6 * (tap << 1);
        }
      }
      block += 16;
      u += 32;
    }
    block += 8 * tap;
    u += 35 * (tap << 1);
  }
}

/** G' times three weights. */
// @ts-ignore: decorator
@inline
function sixOfWeights(g0: v128, g1: v128, g2: v128, to: usize, stride: usize): void {
  const outer = i16x8.add(g0, g2), far = i16x8.add(g0, i16x8.shl(g2, 2)), middle = i16x8.add(g1, g1);
  v128.store(to, i16x8.mul(g0, i16x8.splat(6)));
  v128.store(to + stride, i16x8.mul(i16x8.add(outer, g1), i16x8.splat(-2)));
  v128.store(to + 2 * stride, i16x8.mul(i16x8.sub(outer, g1), i16x8.splat(-2)));
  v128.store(to + 3 * stride, i16x8.add(far, middle));
  v128.store(to + 4 * stride, i16x8.sub(far, middle));
  v128.store(to + 5 * stride, i16x8.mul(g2, i16x8.splat(12)));
}

export function runWinograd(step: usize): void {
  const inC = field(step, Conv.InC), outC = field(step, Conv.OutC);
  const outH = field(step, Conv.OutH), outW = field(step, Conv.OutW);
  const padTop = field(step, Conv.PadTop), band = field(step, Conv.Band);
  const across = tilesInRow(step), tiles = paddedTiles(step), pixels = ringPixels(step);
  const slot = <usize>slotBytes16(pixels, inC);
  const ring = address(step, Step.Scratch);
  const sums = ring + <usize>(4 * band + 2) * slot;
  const rowBytes = (<usize>(pixels * inC)) << 1;
  const planes = sums + 6 * rowBytes;
  const planeBytes = (<usize>(tiles * inC)) << 1;
  const products = planes + 36 * planeBytes;
  const productBytes = (<usize>tiles) << 5;
  const blockBytes: usize = 64 + 72 * <usize>inC;
  const inputBytes = <usize>(field(step, Conv.InH) * field(step, Conv.InW) * inC);
  ringSetup(
    ring, 4 * band + 2, slot, pixels,
    field(step, Conv.InH), field(step, Conv.InW), inC, field(step, Conv.PadLeft), field(step, Conv.InZero),
  );
  let input = address(step, Step.Input), output = address(step, Step.Output);
  for (let b = 0; b < field(step, Conv.Batch); b++) {
    ringStart(input, -padTop);
    for (let oy = 0; oy < outH; oy += 4 * band) {
      const rows = min(band, (outH - oy + 3) >> 2);
      for (let r = 0; r < rows; r++) {
        const top = oy + 4 * r - padTop;
        ringAdvance<i16>(top, top + 5);
        transformColumns(top, sums, rowBytes);
        transformRows(sums, rowBytes, planes + <usize>(r * across * inC) * 2, planeBytes, inC, across);
      }
      let block = address(step, Step.Params), u = address(step, Step.Input2);
      for (let n = 0; n < outC; n += 8) {
        for (let k: usize = 0; k < 36; k++) {
          if (narrow) multiplyNarrow(planes + k * planeBytes, u, products + k * productBytes, inC, tiles);
          else multiply(planes + k * planeBytes, u, products + k * productBytes, inC, tiles);
          u += (<usize>inC) << 4;
        }
        for (let r = 0; r < rows; r++) {
          transformOutput(
            step, products + ((<usize>(r * across)) << 5), productBytes, block,
            output + <usize>((oy + 4 * r) * outW * outC + n), outH - oy - 4 * r, outC - n,
          );
        }
        block += blockBytes;
      }
    }
    input += inputBytes;
    output += <usize>(outH * outW * outC);
  }
}

/** Bᵀ times six values. */
// @ts-ignore: decorator
@inline
function sixOfInputs(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, stride: usize): void {
  const c = i16x8.sub(d4, d2), e = i16x8.shl(i16x8.sub(d3, d1), 1);
  const a = i16x8.sub(d4, i16x8.shl(d2, 2)), b = i16x8.sub(d3, i16x8.shl(d1, 2));
  v128.store(to, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), c));
  to += stride;
  v128.store(to, i16x8.add(a, b));
  to += stride;
  v128.store(to, i16x8.sub(a, b));
  to += stride;
  v128.store(to, i16x8.add(c, e));
  to += stride;
  v128.store(to, i16x8.sub(c, e));
  to += stride;
  v128.store(to, i16x8.sub(i16x8.sub(d5, d3), i16x8.shl(e, 1)));
}

/** Bᵀ d: six rows of the ring from `top` to six rows of sums. */
function transformColumns(top: i32, sums: usize, rowBytes: usize): void {
  const r0 = ringRow(top), r1 = ringRow(top + 1), r2 = ringRow(top + 2);
  const r3 = ringRow(top + 3), r4 = ringRow(top + 4), r5 = ringRow(top + 5);
  for (let at: usize = 0; at < rowBytes; at += 16) {
    sixOfInputs(
      v128.load(r0 + at), v128.load(r1 + at), v128.load(r2 + at), v128.load(r3 + at), v128.load(r4 + at), v128.load(r5 + at),
      sums + at, rowBytes,
    );
  }
}

/** (Bᵀ d) B: each row of sums to six planes of V. Neighbouring tiles share two columns. */
function transformRows(sums: usize, rowBytes: usize, planes: usize, plane: usize, inC: i32, tiles: i32): void {
  const pixel = (<usize>inC) << 1;
  for (let i = 0; i < 6; i++) {
    for (let c: usize = 0; c < pixel; c += 16) {
      let at = sums + c, v = planes + c;
      let d0 = v128.load(at), d1 = v128.load(at + pixel);
      for (let t = 0; t < tiles; t++) {
        at += pixel << 1;
        const d2 = v128.load(at), d3 = v128.load(at + pixel);
        const next = at + (pixel << 1);
        const d4 = v128.load(next), d5 = v128.load(next + pixel);
        sixOfInputs(d0, d1, d2, d3, d4, d5, v, plane);
        d0 = d4; d1 = d5;
        at = next;
        v += pixel;
      }
    }
    sums += rowBytes;
    planes += 6 * plane;
  }
}

/** [tiles, inC] · [inC, 8] → [tiles, 8] int32; tiles a multiple of four. */
function multiply(a: usize, u: usize, out: usize, inC: i32, tiles: i32): void {
  const row = (<usize>inC) << 1;
  for (let t = 0; t < tiles; t += 4) {
    let c00 = zeros(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
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

/** Aᵀ M of one tile and four channels, 4 × 6 vectors; then the tile's outputs: sixteen of channels 0 … 3, sixteen of 4 … 7. */
const columns: usize = memory.data(24 * 16);
const outputs: usize = memory.data(32 * 16);

/** Aᵀ M A of eight channels of a row of tiles, requantized: at most four output rows of `rows` from `out`. */
function transformOutput(step: usize, products: usize, plane: usize, block: usize, out: usize, rows: i32, count: i32): void {
  const outW = field(step, Conv.OutW);
  const stride = <usize>field(step, Conv.OutC);
  const low = i8x16.splat(<i8>field(step, Conv.Min)), high = i8x16.splat(<i8>field(step, Conv.Max));
  const offset = i32x4.splat(MAGIC_BITS - field(step, Conv.OutZero));
  const multipliers = block + 32;
  const nextRow = <usize>outW * stride;
  const rowsEnd = outputs + ((<usize>min(rows, 4)) << 6);
  for (let x = 0; x < outW; x += 4) {
    sixteenOutputs(products, plane, v128.load(block), outputs);
    sixteenOutputs(products + 16, plane, v128.load(block, 16), outputs + 256);
    let to = out;
    for (let y = outputs; y < rowsEnd; y += 64) {
      const left = requantize16(
        v128.load(y), v128.load(y, 256), v128.load(y, 16), v128.load(y, 272), multipliers, multipliers, offset, low, high,
      );
      storePair(to, stride, left, outW - x, count);
      if (outW - x > 2) {
        const right = requantize16(
          v128.load(y, 32), v128.load(y, 288), v128.load(y, 48), v128.load(y, 304), multipliers, multipliers, offset, low, high,
        );
        storePair(to + 2 * stride, stride, right, outW - x - 2, count);
      }
      to += nextRow;
    }
    products += 32;
    out += 4 * stride;
  }
}

/** Four channels' thirty-six products to their sixteen sums, bias included. */
function sixteenOutputs(m: usize, plane: usize, bias: v128, to: usize): void {
  const row: usize = 6 * plane;
  for (let j = columns; j < columns + 96; j += 16) {
    const m1 = v128.load(m + row), m2 = v128.load(m + 2 * row), m3 = v128.load(m + 3 * row), m4 = v128.load(m + 4 * row);
    const p = i32x4.add(m1, m2), q = i32x4.sub(m1, m2), r = i32x4.add(m3, m4), s = i32x4.sub(m3, m4);
    v128.store(j, i32x4.add(v128.load(m), i32x4.add(i32x4.add(p, p), r)));
    v128.store(j, i32x4.add(q, s), 96);
    v128.store(j, i32x4.add(p, i32x4.add(r, r)), 192);
    v128.store(j, i32x4.add(i32x4.add(q, i32x4.shl(s, 2)), v128.load(m + 5 * row)), 288);
    m += plane;
  }
  const inverse = i32x4.splat(INVERSE);
  let shift = 6;
  for (let i = columns; i < columns + 384; i += 96) {
    const m1 = v128.load(i, 16), m2 = v128.load(i, 32), m3 = v128.load(i, 48), m4 = v128.load(i, 64);
    const p = i32x4.add(m1, m2), q = i32x4.sub(m1, m2), r = i32x4.add(m3, m4), s = i32x4.sub(m3, m4);
    const y0 = i32x4.add(v128.load(i), i32x4.add(i32x4.add(p, p), r)), y1 = i32x4.add(q, s);
    const y2 = i32x4.add(p, i32x4.add(r, r)), y3 = i32x4.add(i32x4.add(q, i32x4.shl(s, 2)), v128.load(i, 80));
    v128.store(to, i32x4.add(bias, i32x4.shr_s(i32x4.mul(y0, inverse), shift)));
    v128.store(to, i32x4.add(bias, i32x4.shr_s(i32x4.mul(y1, inverse), shift - 1)), 16);
    v128.store(to, i32x4.add(bias, i32x4.shr_s(i32x4.mul(y2, inverse), shift - 1)), 32);
    v128.store(to, i32x4.add(bias, i32x4.shr_s(i32x4.mul(y3, inverse), shift - 1)), 48);
    to += 64;
    shift = 5;
  }
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
