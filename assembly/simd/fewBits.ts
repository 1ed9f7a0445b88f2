// The tile for weights of few bits (numeric/fewBits.ts draws their blocks): the products of a few pixels with the codes of
// a block, by whichever loop the machine likes, then offsets, requantization and clamp before the one store.
// Activations are int8 as they lie, or int16 with the inputs of a quad in the order 0 2 1 3 (fewBitsDot.ts says why).
//
// Invariant: sums are exact in int32; tiles read up to 15 cells past a segment, which meet codes of 0.

import { ConvKernel } from "../abi";
import { bitsOf, GROUP_HEAD, GROUPS_HEAD, groupsRow, HEAD, TABLE_BYTES, vectorsOf } from "../numeric/fewBits";
import { MAGIC_BITS, nearest8, requantize16 } from "../numeric/requantize";
import { fewDot1, fewDot5 } from "./fewBitsDot";
import { fewNarrow1, fewNarrow4 } from "./fewBitsNarrow";
import { fifteen, sums, table } from "./fewBitsPlaces";
import { fewRelaxed1, fewRelaxed5, fewRelaxed5Words } from "./fewBitsRelaxed";
import { storeBytes, storeBytes16, storeTail } from "./lanes";
import { narrow, words } from "./machine";
import { setSeven } from "./strips";

/** Pixels of a tile. */
// @ts-ignore: decorator
@inline
export function tilePixels(): i32 {
  return ASC_FEATURE_RELAXED_SIMD || !narrow ? 5 : 4;
}

/** Σ x of each pixel. */
const inputSums: usize = memory.data(32, 16);
/** Group-wise: running float32 sums, as `sums`. */
const reals: usize = memory.data(160, 16);
/** Group-wise: the list of the one segment that a group is. */
const group: usize = memory.data(16, 16);

let segments: usize = 0;
let segmentsEnd: usize = 0;
let cells: i32 = 0;
let channels: i32 = 0;
let low: i32 = 0;
let high: i32 = 0;
let outZero: i32 = 0;
let block: usize = 0;
let blockBytes: usize = 0;
/** A ConvKernel. */
let coding: i32 = 0;
/** Relaxed dots of these codes that an int16 holds. */
let most: i32 = 0;
/** Where the codes of a block are unpacked to four bits, if they have fewer. */
let unpacked: usize = 0;
/** Inputs of a group, 0 where there are none. */
let groupSize: i32 = 0;
let minusInZero: i32 = 0;
/** Group-wise: for each group and pixel −inZero and Σ x, as int16. */
let groupSums: usize = 0;

/** Whether activations are int8 as they lie. */
// @ts-ignore: decorator
@inline
export function fewTakesInt8(): bool {
  return ASC_FEATURE_RELAXED_SIMD || narrow;
}

/**
 * `list`: addresses of `count` segments of pixel 0, of `length` cells each; `room`: for the pairs of groups, or for the
 * codes of a block at four bits.
 */
export function fewSetup(
  kernel: i32, list: usize, count: i32, length: i32, outC: i32, zero: i32, min: i32, max: i32, params: usize,
  size: i32, inZero: i32, room: usize,
): void {
  coding = kernel;
  segments = list;
  segmentsEnd = list + ((<usize>count) << 2);
  cells = length;
  channels = outC;
  low = min;
  high = max;
  outZero = zero;
  block = params;
  blockBytes = HEAD + <usize>(count * vectorsOf(length, bitsOf(kernel))) * 16;
  most = 8;
  // codes stand for themselves
  v128.store(table, i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  if (kernel == ConvKernel.Codebook) {
    block += TABLE_BYTES;
    v128.store(table, v128.load(params));
    let largest = 0;
    for (let i: usize = 0; i < 16; i++) largest = max32(largest, <i32>load<u8>(table + i));
    most = largest <= 15 ? 8 : largest <= 31 ? 4 : largest <= 63 ? 2 : 1;
  }
  unpacked = room;
  groupSize = size;
  if (size) {
    minusInZero = -inZero;
    groupSums = room;
    blockBytes = GROUPS_HEAD + <usize>count * <usize>groupsRow(length, size);
  }
}

/** The first block's head. */
export function fewBlocks(): usize {
  return block;
}

/** What the low nibbles of `v` stand for. */
// @ts-ignore: decorator
@inline
function values(v: v128): v128 {
  const codes = v128.and(v, v128.load(fifteen));
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(v128.load(table), codes);
  return i8x16.swizzle(v128.load(table), codes);
}

/** Four int32 of −128 … 127, each as four bytes. */
// @ts-ignore: decorator
@inline
function fourTimes(v: v128): v128 {
  return i32x4.mul(v128.and(v, i32x4.splat(255)), i32x4.splat(0x01010101));
}

/** All blocks at `to` as int8 ones (gemm.ts): heads, then weights. Cells are whole quads. */
export function fewWiden(to: usize): void {
  const bytes = ((segmentsEnd - segments) >> 2) * <usize>(cells << 3);
  for (let at = block, left = channels; left > 0; left -= 8, at += blockBytes) {
    memory.copy(to, at, 64);
    to += 64;
    const low4 = fourTimes(v128.load(at, 64)), high4 = fourTimes(v128.load(at, 80));
    const plus = v128.shuffle<i16>(low4, high4, 0, 2, 4, 6, 8, 10, 12, 14);
    for (let w = fourBits(at + HEAD, unpacked), end = to + bytes; to < end; to += 32, w += 16) {
      const v = v128.load(w), p = values(v), q = values(i16x8.shr_u(v, 4));
      v128.store(to, i8x16.add(v128.shuffle<i16>(p, q, 0, 2, 4, 6, 8, 10, 12, 14), plus));
      v128.store(to, i8x16.add(v128.shuffle<i16>(p, q, 1, 3, 5, 7, 9, 11, 13, 15), plus), 16);
    }
  }
}

/** All codes at `to` as the seven-bit weights of strips.ts. Cells are whole quads. */
export function fewSeven(to: usize): void {
  const book = coding == ConvKernel.Codebook, sixtyFour = i32x4.splat(64), none = i32x4.splat(0);
  const quads = <i32>((segmentsEnd - segments) >> 2) * (cells >> 2);
  const rowBytes: usize = narrow ? 64 : 32, groupBytes = <usize>((quads + 3) & ~3) * rowBytes;
  // a codebook's values are what the dot takes, above one value for all
  setSeven(blockBytes, book ? -load<i32>(block + 64) : 64);
  for (let at = block, c = 0; c < channels; c += 8, at += blockBytes) {
    const odd = narrow && (c & 8) != 0;
    const plus0 = book ? none : fourTimes(i32x4.add(v128.load(at, 64), sixtyFour));
    const plus1 = book ? none : fourTimes(i32x4.add(v128.load(at, 80), sixtyFour));
    let p = odd ? to + 32 : to, w = fourBits(at + HEAD, unpacked);
    const end = p + groupBytes;
    for (let q = quads; q > 0; q--, p += rowBytes, w += 16) {
      const v = v128.load(w);
      v128.store(p, i8x16.add(values(v), plus0));
      v128.store(p, i8x16.add(values(i16x8.shr_u(v, 4)), plus1), 16);
    }
    for (; p < end; p += rowBytes) {
      v128.store(p, none);
      v128.store(p, none, 16);
    }
    if (!narrow || odd) to += groupBytes;
  }
}

function max32(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Σ of `count` int8. */
function sum8(from: usize, count: i32): i32 {
  let sum = i32x4.splat(0);
  for (; count >= 16; count -= 16, from += 16) {
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(from))));
  }
  let total = acrossLanes(sum);
  for (; count > 0; count--) total += <i32>load<i8>(from++);
  return total;
}

/** Σ of `count` int16 in the order of quads, of which the last is filled up with zeros. */
function sum16(from: usize, count: i32): i32 {
  let sum = i32x4.splat(0);
  for (; count >= 8; count -= 8, from += 16) sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(v128.load(from)));
  if (count > 0) sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(v128.load64_zero(from)));
  if (count > 4) sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(v128.load64_zero(from, 8)));
  return acrossLanes(sum);
}

function acrossLanes(sum: v128): i32 {
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

/** Σ x of `pixels` pixels, `step` bytes apart, or of each of their groups. */
function sumInputs(shift: usize, step: usize, pixels: i32): void {
  const size = groupSize ? groupSize : cells;
  for (let p = 0; p < pixels; p++, shift += step) {
    let sum = 0, at = groupSums + ((<usize>p) << 2);
    for (let segment = segments; segment < segmentsEnd; segment += 4) {
      let from = <usize>load<u32>(segment) + shift;
      for (let left = cells; left > 0; left -= size) {
        const count = min<i32>(left, size);
        const part = fewTakesInt8() ? sum8(from, count) : sum16(from, count);
        from += fewTakesInt8() ? <usize>size : <usize>size << 1;
        sum += part;
        if (groupSize) {
          store<u32>(at, (<u32>part << 16) | <u32>(minusInZero & 0xffff));
          at += 20;
        }
      }
    }
    store<i32>(inputSums + ((<usize>p) << 2), sum);
  }
}

/** The products of a tile with vectors of four-bit codes. */
function products(shift: usize, step: usize, w: usize, list: usize, end: usize, vectors: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD && words && most > 1) fewRelaxed5Words(shift, step, w, list, end, vectors, most);
  else if (coding == ConvKernel.Codebook) {
    if (ASC_FEATURE_RELAXED_SIMD) fewRelaxed5<f32>(shift, step, w, list, end, vectors);
    else if (narrow) fewNarrow4<f32>(shift, step, w, list, end, vectors, most);
    else fewDot5<f32>(shift, step, w, list, end, vectors);
  } else if (!ASC_FEATURE_RELAXED_SIMD) {
    if (narrow) fewNarrow4<u32>(shift, step, w, list, end, vectors, most);
    else fewDot5<u32>(shift, step, w, list, end, vectors);
  } else fewRelaxed5<u32>(shift, step, w, list, end, vectors);
}

/** The same of one pixel and four blocks. */
function products1(shift: usize, w0: usize, w1: usize, w2: usize, w3: usize, vectors: i32): void {
  if (coding == ConvKernel.Codebook) {
    if (ASC_FEATURE_RELAXED_SIMD) fewRelaxed1<f32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors);
    else if (narrow) fewNarrow1<f32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors, most);
    else fewDot1<f32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors);
  } else if (ASC_FEATURE_RELAXED_SIMD) fewRelaxed1<u32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors);
  else if (narrow) fewNarrow1<u32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors, most);
  else fewDot1<u32>(shift, w0, w1, w2, w3, segments, segmentsEnd, vectors);
}

/** Where the codes of a block, whose vectors start at `w`, lie at four bits: there, or unpacked at `to`. */
function fourBits(w: usize, to: usize): usize {
  const bits = bitsOf(coding);
  if (bits == 4) return w;
  const vectors = vectorsOf(cells, bits), mask = i8x16.splat(bits == 1 ? 1 : 3);
  const up = bits == 1 ? 1 : 0, apart = 4 - bits;
  let at = to;
  for (let segment = segments; segment < segmentsEnd; segment += 4) {
    let left = vectorsOf(cells, 4);
    for (let i = vectors; i > 0; i--, w += 16) {
      let v = v128.load(w);
      for (let quad = 4 / bits; quad > 0 && left > 0; quad--, left--, at += 16) {
        const codes = v128.or(v128.and(v, mask), i16x8.shl(v128.and(i16x8.shr_u(v, bits), mask), 4));
        v128.store(at, i16x8.shl(codes, up));
        v = i16x8.shr_u(v, 2 * bits);
      }
    }
  }
  return to;
}

/** Four sums at `at` to what is requantized: plus the start and Σ x times the offsets at `head`. */
// @ts-ignore: decorator
@inline
function exact(at: usize, sum: v128, head: usize): v128 {
  return i32x4.add(i32x4.add(v128.load(at), v128.load(head)), i32x4.mul(sum, v128.load(head, 64)));
}

/** The sums of two pixels, or of one pixel and one block and the next (`apart` bytes on), to eight int8 each. */
// @ts-ignore: decorator
@inline
function finish(at: usize, sumA: v128, sumB: v128, head: usize, apart: usize): v128 {
  const next = head + apart;
  const a0 = exact(at, sumA, head), a1 = exact(at + 16, sumA, head + 16);
  const b0 = exact(at + 32, sumB, next), b1 = exact(at + 48, sumB, next + 16);
  const magic = i32x4.splat(MAGIC_BITS - outZero), lowest = i8x16.splat(<i8>low), highest = i8x16.splat(<i8>high);
  return requantize16(a0, a1, b0, b1, head + 32, next + 32, magic, lowest, highest);
}

/** A tile of pixels, `step` bytes apart from `shift`; outputs `channels` bytes apart from `out`. */
export function fewTile(shift: usize, step: usize, out: usize): void {
  const pixels = tilePixels();
  sumInputs(shift, step, pixels);
  if (groupSize) {
    groupTile(shift, step, pixels, out);
    return;
  }
  const vectors = vectorsOf(cells, 4), stride = <usize>channels;
  let at = block;
  for (let left = channels; left > 0; left -= 8) {
    products(shift, step, fourBits(at + HEAD, unpacked), segments, segmentsEnd, vectors);
    const sumsOf = inputSums;
    let to = out;
    for (let p: usize = 0; p < <usize>pixels; p += 2) {
      const both = finish(
        sums + (p << 5), v128.load32_splat(sumsOf + (p << 2)), v128.load32_splat(sumsOf + (p << 2), 4), at, 0,
      );
      storeBytes(to, both, left);
      to += stride;
      if (p + 1 < <usize>pixels) storeHigh(to, both, left);
      to += stride;
    }
    at += blockBytes;
    out += 8;
  }
}

/** Stores the first `count` (1 …) bytes of the high half of `v`, at most eight. */
// @ts-ignore: decorator
@inline
function storeHigh(to: usize, v: v128, count: i32): void {
  if (count >= 8) v128.store64_lane(to, v, 1);
  else storeTail(to, v128.extract_lane<i64>(v, 1), count);
}

/** One pixel, four blocks at a time, to hide the latency of the sums; past the last block that one again. */
export function fewOne(shift: usize, out: usize): void {
  sumInputs(shift, 0, 1);
  if (groupSize) {
    groupTile(shift, 0, 1, out);
    return;
  }
  const vectors = vectorsOf(cells, 4), sum = v128.load32_splat(inputSums);
  const room = ((segmentsEnd - segments) >> 2) * ((<usize>vectors) << 4);
  let at = block;
  for (let left = channels; left > 0; left -= 32) {
    const w0 = at + HEAD;
    const w1 = left > 8 ? w0 + blockBytes : w0, w2 = left > 16 ? w1 + blockBytes : w1, w3 = left > 24 ? w2 + blockBytes : w2;
    const u0 = fourBits(w0, unpacked), u1 = w1 == w0 ? u0 : fourBits(w1, unpacked + room);
    const u2 = w2 == w1 ? u1 : fourBits(w2, unpacked + 2 * room);
    products1(shift, u0, u1, u2, w3 == w2 ? u2 : fourBits(w3, unpacked + 3 * room), vectors);
    for (let b = 0; b < 4 && left > b << 3; b += 2) {
      const rest = left - (b << 3);
      storeBytes16(out, finish(sums + ((<usize>b) << 5), sum, sum, at, rest > 8 ? blockBytes : 0), rest);
      at += 2 * blockBytes;
      out += 16;
    }
  }
}

/** Adds one group's sums, four outputs, to the running ones: f32(Σ x·u + Σ x · offset − inZero · Σ w) · multiplier. */
// @ts-ignore: decorator
@inline
function addGroup(at: usize, pair: v128, head: usize, bias: v128): void {
  const exact = i32x4.add(i32x4.add(v128.load(sums + at), bias), i32x4.dot_i16x8_s(v128.load(head, 32), pair));
  v128.store(reals + at, f32x4.add(v128.load(reals + at), f32x4.mul(f32x4.convert_i32x4_s(exact), v128.load(head))));
}

function groupTile(shift: usize, step: usize, pixels: i32, out: usize): void {
  const magic = i32x4.splat(MAGIC_BITS - outZero), stride = <usize>channels;
  const lowest = f32x4.splat(<f32>(low - outZero)), highest = f32x4.splat(<f32>(high - outZero));
  let at = block;
  for (let left = channels; left > 0; left -= 8) {
    memory.fill(reals, 0, 160);
    let w = at + GROUPS_HEAD, pairs = groupSums, bias0 = v128.load(at), bias1 = v128.load(at, 16);
    for (let segment = segments; segment < segmentsEnd; segment += 4) {
      store<u32>(group, load<u32>(segment));
      for (let rest = cells; rest > 0; rest -= groupSize) {
        const vectors = vectorsOf(min<i32>(rest, groupSize), 4);
        products(shift, step, w + GROUP_HEAD, group, group + 4, vectors);
        for (let p: usize = 0; p < <usize>pixels; p++) {
          const pair = v128.load32_splat(pairs + (p << 2));
          addGroup(p << 5, pair, w, bias0);
          addGroup((p << 5) + 16, pair, w + 16, bias1);
        }
        bias0 = i32x4.splat(0);
        bias1 = bias0;
        pairs += 20;
        w += GROUP_HEAD + ((<usize>vectors) << 4);
        store<u32>(group, load<u32>(group) + (fewTakesInt8() ? <u32>groupSize : <u32>groupSize << 1));
      }
    }
    let to = out;
    for (let p: usize = 0; p < <usize>pixels; p++, to += stride) {
      const from = reals + (p << 5);
      storeBytes(to, nearest8(v128.load(from), v128.load(from, 16), lowest, highest, magic), left);
    }
    at += blockBytes;
    out += 8;
  }
}
