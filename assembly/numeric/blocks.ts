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

/** One row of k int8 inputs against all blocks. */
export function denseScalar<WIDE>(x: usize, out: usize, block: usize, k: i32, n: i32, zero: i32, min: i32, max: i32): void {
  const blockBytes = <usize>blocksBytes(8, (k + 1) >> 1, isInteger<WIDE>());
  for (let c = 0; c < n; c++) {
    const lane = c & 7;
    let acc = load<i32>(block + ((<usize>lane) << 2));
    for (let i = 0; i < k; i++) acc += <i32>load<i8>(x + <usize>i) * weightAt<WIDE>(block + 64, lane, i);
    store<i8>(out + <usize>c, <i8>requantize(acc, load<f32>(block + 32 + ((<usize>lane) << 2)), min, max, zero));
    if (lane == 7) block += blockBytes;
  }
}
