// Seeded random tensors for the property tests. Invariant: the same seed gives the same numbers.

import { type DType, type TensorData, zeros } from "../../tools/graph/graph.ts";

/** A small generator (xorshift32): uniform unsigned 32-bit words. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }
  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }
  /** An integer in min … max, both included. */
  integer(min: number, max: number): number {
    return min + (this.word() % (max - min + 1));
  }
  /** A float in min … max. */
  real(min: number, max: number): number {
    return min + ((max - min) * this.word()) / 2 ** 32;
  }
  /** int8 values, one in eight of them −128 or 127. */
  int8(count: number, min = -128, max = 127): Int8Array {
    return Int8Array.from({ length: count }, () => {
      const kind = this.word() % 16;
      return kind === 0 ? min : kind === 1 ? max : this.integer(min, max);
    });
  }
}

/** `count` values over the whole range of `dtype`; small magnitudes for float32. */
export function randomData(dtype: DType, count: number, seed: number): TensorData {
  const random = new Random(seed);
  if (dtype === "int8") return random.int8(count);
  const out = zeros(dtype, count);
  for (let i = 0; i < count; i++) {
    // A typed array keeps the low bits; int64 takes a bigint.
    if (dtype === "int64") (out as BigInt64Array)[i] = BigInt(random.word()) * 77777777777n;
    else if (dtype === "float32") out[i] = random.real(-4, 4);
    else out[i] = random.word() | 0;
  }
  return out;
}
