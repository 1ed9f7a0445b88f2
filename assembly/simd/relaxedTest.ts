// What the relaxed build is worth on this engine: whether its products are right, and whether they
// are faster than the simd build's. Engines have had bugs in this
// instruction (V8 11.3 on x86 doubles the product), so that the kernels answer known questions first.
//
// How fast the dot is shows in what it makes of an operand that is not a seven-bit one, which the standard
// leaves to the machine; 127 · −1, four times:
//
//   129540   the second taken as 255, no saturation: x86 with AVX-VNNI     one instruction: this build wins
//   65534    the same, saturated in int16 on the way: SSSE3, AVX2          three instructions: dot_i16x8 is faster
//   −508     both signed: ARM, where one or many (sdot or not) look alike  two dots lose to the narrow loops
//
// Invariant: writes only its own static bytes and the constants of gemm.ts, which every step sets anew.

import { Build, RELAXED_WINS } from "../abi";
import { BLOCK_HEAD, gemmReckon, gemmSetup } from "./gemm";
import { gemm1Relaxed } from "./gemm1Relaxed";
import { gemm4Relaxed, gemm5Relaxed } from "./gemmRelaxed";
import { pixelsByStrips } from "./gemmStrips";
import { setNarrow } from "./machine";
import { packSeven, stripsEnd } from "./strips";

/** Inputs: two whole groups of four and an odd pair; outputs: one whole block and an eighth of one. */
const K: usize = 10;
const N: i32 = 9;
const BLOCK: usize = BLOCK_HEAD + 8 * K;
const ROUNDS: i32 = 8;

/** Pixels at most: one of the widest tile and a half. */
const PIXELS: i32 = 12;

//   ├ segment's address ┼ row: K int8 ┼ blocks ┼ twelve pixels of N ┼ strips ┼ seven-bit weights ┤
const ROW: usize = 16;
const BLOCKS: usize = 48;
const OUT: usize = BLOCKS + 2 * BLOCK;
const STRIPS: usize = (OUT + PIXELS * N + 15) & ~15;

export function relaxedWorth(): Build {
  const at = memory.data(1024);
  store<u32>(at, <u32>(at + ROW));
  gemmSetup(at, 1, <i32>(K / 2), N, 0, -128, 127);
  let seed: u32 = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const seven = (round & 1) != 0;
    for (let k: usize = 0; k < K; k++) {
      seed = seed * 1664525 + 1013904223;
      // the extremes meet in the first rounds, anything in the others
      store<i8>(at + ROW + k, round < 2 ? -128 : round < 4 ? 127 : <i8>(seed >> 24));
    }
    for (let n = 0; n < N; n++) {
      const block = at + BLOCKS + <usize>(n >> 3) * BLOCK,
        lane = <usize>(n & 7);
      let sum = 0;
      for (let k: usize = 0; k < K; k++) {
        seed = seed * 1664525 + 1013904223;
        let w = n == 0 ? <i8>127 : n == 1 ? <i8>-128 : <i8>(seed >> 24);
        w = seven ? w >> 1 : max<i8>(w, -127);
        store<i8>(block + BLOCK_HEAD + (k >> 1) * 16 + (lane << 1) + (k & 1), w);
        sum += <i32>load<i8>(at + ROW + k) * <i32>w;
      }
      // every sum must come out as its channel's number, to the last bit
      store<i32>(block + (lane << 2), n - sum);
      store<f32>(block + 32 + (lane << 2), 1);
    }
    gemmReckon<f32>(at + BLOCKS);
    for (let machine = 0; machine < 2; machine++) {
      setNarrow(machine != 0);
      if (seven) packSeven(stripsEnd(at + STRIPS), at + BLOCKS);
      // no kernel may live on what another left
      memory.fill(at + OUT, 0x80, PIXELS * N);
      pixelsByStrips(PIXELS, 0, at + STRIPS, at + BLOCKS, at + OUT, seven);
      for (let i = 0; i < PIXELS * N; i++) if (load<i8>(at + OUT + <usize>i) != i % N) return Build.RelaxedWrong;
    }
    setNarrow(false);
    for (let pixels = 1; pixels < 6; pixels++) {
      memory.fill(at + OUT, 0x80, PIXELS * N);
      if (pixels < 4) gemm1Relaxed(0, at + BLOCKS, at + OUT);
      else if (pixels == 4) gemm4Relaxed(0, 0, at + BLOCKS, at + OUT);
      else gemm5Relaxed(0, 0, at + BLOCKS, at + OUT);
      const count = pixels < 4 ? N : pixels * N;
      for (let i = 0; i < count; i++) if (load<i8>(at + OUT + <usize>i) != i % N) return Build.RelaxedWrong;
    }
  }
  if (extreme(0, 0) != 64516 || extreme(8, 0) != -65024) return Build.RelaxedWrong;
  return relaxedBeyond() == RELAXED_WINS ? Build.Relaxed : Build.RelaxedSlow;
}

/** What the dot makes of 127 · −1, four times. */
export function relaxedBeyond(): i32 {
  return extreme(0, 16);
}

/** 127, −128 and −1; in memory, lest a compiler answers in the machine's place. */
const EXTREMES: usize = memory.data<u32>([0x7f7f7f7f, 0, 0x80808080, 0, 0xffffffff, 0], 16);

/** Lane 0 of the dot of the extremes at these offsets. */
function extreme(a: usize, b: usize): i32 {
  return lane0(v128.load32_splat(EXTREMES + a), v128.load32_splat(EXTREMES + b), i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function lane0(a: v128, b: v128, sum: v128): i32 {
  return i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sum), 0);
}
