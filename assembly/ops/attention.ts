// attention: for each batch, head and query
//
//   s[j] = Σ (q − zq)(k[j] − zk),  d[j] = rne(f32(max s − s[j]) · ScoreScale) up to 1023,  e[j] = table[d[j]], 0 where masked
//   out  = clamp(rne(f32(Σ e[j] (v[j] − zv)) · f32(OutScale / f32(Σ e[j]))) + zo),  zo where no key counts
//
//   scratch:  ├ keys in blocks ┼ values in blocks ┼ four queries int16 ┼ four rows of s, int32 ┼ of e, int16 ┼ of sums, int32 ┤
//             │ of one head of one batch (simd/sums.ts)│
//
// Invariant: both sums are exact in int32: Width ≤ 16384, and e ≤ 4095 with Keys ≤ 2048.

import { Status, Step } from "../abi";
import { Attention, AttentionFlag } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams } from "../memory";
import { MAGIC, MAGIC_BITS, requantize, round4 } from "../numeric/requantize";
import { packSums, sums4 } from "../simd/sums";
import { MAX_AXIS } from "./conv2d";

const MAX_WIDTH = 16384;
const MAX_KEYS = 2048;
const LAST_ENTRY: f32 = 1023.0;

/** Bytes of each part of the scratch. */
let keyBlocks: usize = 0;
let valueBlocks: usize = 0;
let queryBytes: usize = 0;
let rowBytes: usize = 0;
let outBytes: usize = 0;

function layOut(keys: i32, width: i32): usize {
  const keys8 = <usize>((keys + 7) & ~7),
    width8 = <usize>((width + 7) & ~7);
  keyBlocks = keys8 * <usize>((width + 1) & ~1) * 2;
  valueBlocks = width8 * keys8 * 2;
  queryBytes = width8 * 2;
  rowBytes = keys8 * 4;
  outBytes = width8 * 4;
  return keyBlocks + valueBlocks + 4 * (queryBytes + rowBytes + (rowBytes >> 1) + outBytes);
}

export function checkAttention(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Attention.Batch, Attention.Heads, 1, MAX_AXIS)) return Status.Shape;
  const heads = field(step, Attention.Heads),
    keyHeads = field(step, Attention.KeyHeads),
    width = field(step, Attention.Width),
    keys = field(step, Attention.Keys),
    batch = field(step, Attention.Batch),
    queries = field(step, Attention.Queries);
  if (keyHeads < 1 || keyHeads > heads || heads % keyHeads != 0) return Status.Shape;
  if (width < 1 || width > MAX_WIDTH || keys > MAX_KEYS) return Status.Shape;
  if (!allWithin(step, Attention.QZero, Attention.OutZero, -128, 127)) return Status.Shape;
  const all = extent(batch, queries, heads, width),
    each = extent(batch, keys, keyHeads, width);
  if (!canRead(step, Step.Input, all) || !canRead(step, Step.Input2, each)) return Status.Read;
  if (!canRead(step, Attention.Values, each)) return Status.Read;
  const flags = field(step, Attention.Flags);
  if (flags & AttentionFlag.Counted) {
    const bytes = extent(batch, flags & AttentionFlag.CountsInt8 ? 1 : 4);
    if (!canRead(step, Attention.Counts, bytes)) return Status.Read;
  }
  if (!canWrite(step, Step.Output, all)) return Status.Write;
  if (!hasParams(step, 2048)) return Status.Params;
  const scratch = <u64>layOut(keys, width),
    declared = field(step, Step.ScratchBytes);
  if (declared < 0 || <u64>declared < scratch || !canWrite(step, Step.Scratch, scratch)) return Status.Scratch;
  return Status.Ok;
}

/** Keys of batch `b` that count, 0 … keys. */
function counted(step: usize, b: i32, keys: i32, flags: i32): i32 {
  if (!(flags & AttentionFlag.Counted)) return keys;
  const at = address(step, Attention.Counts);
  const count =
    flags & AttentionFlag.CountsInt8
      ? <i32>load<i8>(at + <usize>b) - field(step, Attention.CountZero)
      : load<i32>(at + (<usize>b << 2));
  return max<i32>(0, min<i32>(count, keys));
}

export function runAttention(step: usize): void {
  const heads = field(step, Attention.Heads),
    keyHeads = field(step, Attention.KeyHeads),
    width = field(step, Attention.Width),
    keys = field(step, Attention.Keys),
    queries = field(step, Attention.Queries),
    flags = field(step, Attention.Flags);
  layOut(keys, width);
  const blocksK = address(step, Step.Scratch),
    blocksV = blocksK + keyBlocks,
    q4 = blocksV + valueBlocks,
    s4 = q4 + 4 * queryBytes,
    e4 = s4 + 4 * rowBytes,
    o4 = e4 + 4 * (rowBytes >> 1);
  const keys8 = (keys + 7) >> 3,
    width8 = (width + 7) >> 3,
    pairs = (width + 1) >> 1;
  const group = heads / keyHeads;
  const qRow = <usize>(heads * width),
    kRow = <usize>(keyHeads * width);
  for (let b = 0; b < field(step, Attention.Batch); b++) {
    const count = counted(step, b, keys, flags);
    const last = flags & AttentionFlag.CountsLast;
    const first = last ? keys - count : 0,
      end = last ? keys : count;
    for (let kh = 0; kh < keyHeads; kh++) {
      const offset = <usize>b * <usize>keys * kRow + <usize>(kh * width);
      packSums(blocksK, address(step, Step.Input2) + offset, width, keys, 1, kRow, field(step, Attention.KZero), pairs);
      packSums(blocksV, address(step, Attention.Values) + offset, keys, width, kRow, 1, field(step, Attention.VZero), keys8 << 2);
      for (let h = kh * group; h < (kh + 1) * group; h++) {
        const start = <usize>b * <usize>queries * qRow + <usize>(h * width);
        for (let i = 0; i < queries; i += 4) {
          for (let row = 0; row < 4; row++) {
            // past the last query it is done again
            const from = address(step, Step.Input) + start + <usize>min<i32>(i + row, queries - 1) * qRow;
            less(q4 + <usize>row * queryBytes, from, width, field(step, Attention.QZero));
          }
          sums4(q4, queryBytes, pairs, blocksK, keys8, s4, rowBytes);
          for (let row = 0; row < 4; row++) {
            const at = min<i32>(i + row, queries - 1);
            const sees = flags & AttentionFlag.Causal ? min<i32>(end, max<i32>(0, at + keys - queries + 1)) : end;
            const sum = weigh(step, s4 + <usize>row * rowBytes, e4 + <usize>row * (rowBytes >> 1), first, sees, keys8 << 3);
            // kept where the scores were
            store<i32>(s4 + <usize>row * rowBytes, sum);
          }
          sums4(e4, rowBytes >> 1, keys8 << 2, blocksV, width8, o4, outBytes);
          for (let row = 0; row < 4; row++) {
            const to = address(step, Step.Output) + start + <usize>min<i32>(i + row, queries - 1) * qRow;
            const sum = load<i32>(s4 + <usize>row * rowBytes);
            const scale: f32 = sum == 0 ? 0 : fieldF32(step, Attention.OutScale) / <f32>sum;
            give(to, o4 + <usize>row * outBytes, width, scale, field(step, Attention.OutZero));
          }
        }
      }
    }
  }
}

/** A query less its zero point, as int16, padded with zeros. */
function less(to: usize, from: usize, width: i32, zero: i32): void {
  for (let i = 0; i < width; i++) store<i16>(to + (<usize>i << 1), <i16>(<i32>load<i8>(from + <usize>i) - zero));
  if (width & 1) store<i16>(to + (<usize>width << 1), 0);
}

/** Scores → e for keys `first` … `end` − 1, 0 for all others up to `all`; returns Σ e. */
function weigh(step: usize, s: usize, e: usize, first: i32, end: i32, all: i32): i32 {
  memory.fill(e, 0, <usize>all << 1);
  if (first >= end) return 0;
  const from = s + (<usize>first << 2),
    to = s + (<usize>end << 2);
  let most = load<i32>(from),
    look = from;
  if (ASC_FEATURE_SIMD) {
    let tops = i32x4.splat(most);
    for (; look + 16 <= to; look += 16) tops = i32x4.max_s(tops, v128.load(look));
    most = max<i32>(
      max<i32>(i32x4.extract_lane(tops, 0), i32x4.extract_lane(tops, 1)),
      max<i32>(i32x4.extract_lane(tops, 2), i32x4.extract_lane(tops, 3)),
    );
  }
  for (; look < to; look += 4) most = max<i32>(most, load<i32>(look));
  const scale = fieldF32(step, Attention.ScoreScale),
    table = address(step, Step.Params);
  let sum = 0,
    at = from;
  e += <usize>first << 1;
  if (ASC_FEATURE_SIMD) {
    const tops = i32x4.splat(most),
      scales = f32x4.splat(scale),
      last = f32x4.splat(LAST_ENTRY),
      magic = f32x4.splat(MAGIC);
    for (; at + 16 <= to; at += 16, e += 8) {
      const real = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(tops, v128.load(at))), scales);
      const index = i32x4.shl(f32x4.add(f32x4.pmin(last, real), magic), 1);
      const a = <i32>load<i16>(table + entry(i32x4.extract_lane(index, 0))),
        b = <i32>load<i16>(table + entry(i32x4.extract_lane(index, 1))),
        c = <i32>load<i16>(table + entry(i32x4.extract_lane(index, 2))),
        d = <i32>load<i16>(table + entry(i32x4.extract_lane(index, 3)));
      store<i32>(e, a | (b << 16));
      store<i32>(e, c | (d << 16), 4);
      sum += a + b + c + d;
    }
  }
  for (; at < to; at += 4, e += 2) {
    const real = min<f32>(LAST_ENTRY, <f32>(most - load<i32>(at)) * scale);
    const value = <i32>load<i16>(table + entry((reinterpret<i32>(real + MAGIC) - MAGIC_BITS) << 1));
    store<i16>(e, <i16>value);
    sum += value;
  }
  return sum;
}

/** A byte offset into the table, whatever the scale made of it. */
// @ts-ignore: decorator
@inline
function entry(twice: i32): usize {
  return <usize>(twice & 2046);
}

function give(to: usize, from: usize, width: i32, scale: f32, zero: i32): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const scales = f32x4.splat(scale),
      offset = i32x4.splat(MAGIC_BITS - zero);
    for (; i + 8 <= <usize>width; i += 8) {
      const at = from + (i << 2);
      const words = i16x8.narrow_i32x4_s(round4(v128.load(at), scales, offset), round4(v128.load(at, 16), scales, offset));
      v128.store64_lane(to + i, i8x16.narrow_i16x8_s(words, words), 0);
    }
  }
  for (; i < <usize>width; i++) {
    store<i8>(to + i, <i8>requantize(load<i32>(from + (i << 2)), scale, -128, 127, zero));
  }
}
