// The scalar build's view of the weight blocks that simd/gemm.ts draws, and their size.
// Invariant: gives the same bytes as the vector kernels.

import { requantize } from "./requantize";

/** Bytes of all blocks for `n` outputs over `pairs` pairs of inputs. */
export function blocksBytes(n: i32, pairs: i32, wide: bool): u64 {
  return (<u64>((n + 7) >> 3)) * (64 + (<u64>pairs) * (wide ? 32 : 16));
}

/** Weight of output lane `lane` at padded input index `k`, in the pairs that start at `pairs`. */
// @ts-ignore: decorator
@inline
export function weightAt<WIDE>(pairs: usize, lane: i32, k: i32): i32 {
  const index = <usize>((k >> 1) * 16 + lane * 2 + (k & 1));
  return isInteger<WIDE>() ? <i32>load<i16>(pairs + (index << 1)) : <i32>load<i8>(pairs + index);
}

/** Sums of the eight outputs of a block. */
const SUMS: usize = ASC_FEATURE_SIMD ? 0 : memory.data(32, 8);
/** The lowest byte of both halves of 64 bits. */
const BYTES: i64 = 0x000000ff000000ff;
/** Turns int8 weights into w + 128, which is never negative. */
const OFFSET: i64 = 0x8080808080808080;

/**
 * `rows` rows of k int8 inputs, `step` bytes apart, against all blocks; the results lie one behind the other.
 * An odd k meets a zero weight with whatever lies behind it.
 */
export function rowsScalar<WIDE>(
  x: usize, step: usize, rows: i32, out: usize, blocks: usize, k: i32, n: i32, zero: i32, min: i32, max: i32,
): void {
  let r = 0;
  if (!isInteger<WIDE>()) {
    for (; r + 1 < rows; r += 2, x += 2 * step, out += <usize>(2 * n)) {
      int8Rows<i32>(x, x + step, out, blocks, k, n, zero, min, max);
    }
    if (r < rows) int8Rows<f32>(x, x, out, blocks, k, n, zero, min, max);
  } else {
    for (; r < rows; r++, x += step, out += <usize>n) wideRow(x, out, blocks, k, n, zero, min, max);
  }
}

/**
 * Two rows (BOTH: an integer type) or one (a float type), two products a multiplication: x · (u + 2^32·v) is both x·u and
 * x·v, and so are sums of these, if what the lower half borrows from the upper one is given back at the end (`halves`).
 *
 *   eight weights, w + 128:   k·c0  k+1·c0  k·c1  k+1·c1  k·c2  k+1·c2  k·c3  k+1·c3
 *   & BYTES                   k·c0                        k·c2                          shifted by 8, 16, 24: the others
 */
function int8Rows<BOTH>(
  x: usize, y: usize, out: usize, block: usize, k: i32, n: i32, zero: i32, min: i32, max: i32,
): void {
  const end = x + <usize>((k + 1) & ~1);
  let sumX = 0, sumY = 0, q = y;
  for (let p = x; p < end; p++, q++) {
    sumX += <i32>load<i8>(p);
    if (isInteger<BOTH>()) sumY += <i32>load<i8>(q);
  }
  for (let c = 0; c < n; c += 8) {
    const head = block;
    let x02: i64 = 0, x13: i64 = 0, x46: i64 = 0, x57: i64 = 0, y02: i64 = 0, y13: i64 = 0, y46: i64 = 0, y57: i64 = 0;
    q = y;
    block += 64;
    for (let p = x; p < end; p += 2, q += 2, block += 16) {
      const u = load<i64>(block) ^ OFFSET, v = load<i64>(block, 8) ^ OFFSET;
      const w02 = u & BYTES, w13 = (u >>> 16) & BYTES, w46 = v & BYTES, w57 = (v >>> 16) & BYTES;
      const z02 = (u >>> 8) & BYTES, z13 = (u >>> 24) & BYTES, z46 = (v >>> 8) & BYTES, z57 = (v >>> 24) & BYTES;
      const x0 = <i64>load<i8>(p), x1 = <i64>load<i8>(p, 1);
      x02 += x0 * w02 + x1 * z02;
      x13 += x0 * w13 + x1 * z13;
      x46 += x0 * w46 + x1 * z46;
      x57 += x0 * w57 + x1 * z57;
      if (isInteger<BOTH>()) {
        const y0 = <i64>load<i8>(q), y1 = <i64>load<i8>(q, 1);
        y02 += y0 * w02 + y1 * z02;
        y13 += y0 * w13 + y1 * z13;
        y46 += y0 * w46 + y1 * z46;
        y57 += y0 * w57 + y1 * z57;
      }
    }
    halves(0, x02, x13);
    halves(16, x46, x57);
    finish(SUMS, sumX << 7, head, out, n - c, zero, min, max);
    if (isInteger<BOTH>()) {
      halves(0, y02, y13);
      halves(16, y46, y57);
      finish(SUMS, sumY << 7, head, out + <usize>n, n - c, zero, min, max);
    }
    out += 8;
  }
}

/** Outputs 0 and 2 in the halves of `even`, 1 and 3 in those of `odd`. */
function halves(at: usize, even: i64, odd: i64): void {
  store<i32>(SUMS + at, <i32>even);
  store<i32>(SUMS + at, <i32>odd, 4);
  store<i32>(SUMS + at, <i32>((even - <i64><i32>even) >> 32), 8);
  store<i32>(SUMS + at, <i32>((odd - <i64><i32>odd) >> 32), 12);
}

/** Eight sums, or `left` if that is fewer, less the `excess` that w + 128 brought, to int8. */
function finish(sums: usize, excess: i32, head: usize, out: usize, left: i32, zero: i32, low: i32, high: i32): void {
  for (const end = sums + (<usize>min<i32>(left, 8) << 2); sums < end; sums += 4, head += 4, out++) {
    const sum = load<i32>(sums) - excess + load<i32>(head);
    store<i8>(out, <i8>requantize(sum, load<f32>(head, 32), low, high, zero));
  }
}

/** One row against weights of int16. */
function wideRow(x: usize, out: usize, block: usize, k: i32, n: i32, zero: i32, min: i32, max: i32): void {
  const blockBytes = <usize>blocksBytes(8, (k + 1) >> 1, true);
  for (let c = 0; c < n; c++) {
    const lane = c & 7;
    let acc = load<i32>(block + ((<usize>lane) << 2));
    for (let i = 0; i < k; i++) acc += <i32>load<i8>(x + <usize>i) * weightAt<i32>(block + 64, lane, i);
    store<i8>(out + <usize>c, <i8>requantize(acc, load<f32>(block + 32 + ((<usize>lane) << 2)), min, max, zero));
    if (lane == 7) block += blockBytes;
  }
}
