// Weights of which only the groups that are not all zero are kept: eight outputs by four inputs, the same in every
// build. tools/pack/sparse.ts writes them.
//
//   params:   ├ counts u16 × blocks ┼ places u16 × groups ┼ up to 15 bytes of padding ┼ block ┼ block ┼ … ┤
//   a block is eight outputs, with as many groups as its count says:
//             ├ bias i32×8 ┼ multiplier f32×8 ┼ group ┼ group ┼ … ┤
//   int8:     ├ w[k][c0] w[k+1][c0] … w[k][c7] w[k+1][c7] ┼ the same of k+2, k+3 ┤     32 bytes
//   four bits: byte 4c+i is w[k+i][c] + 8, and in its high half w[k+i][c+4] + 8, c < 4   16 bytes
//
// A place says where the group's four inputs lie, in units of four cells from the first cell of the pixel.
// Invariant: every place is below the limit of its step, so that no group reads outside its input rows.

import { Step } from "../abi";
import { address, hasParams } from "../memory";
import { MAGIC, requantize } from "./requantize";

export const SPARSE_HEAD: usize = 64;

/** The constants of the step that runs. */
export let counts: usize = 0;
export let places: usize = 0;
export let sparseBlocks: usize = 0;
export let groupBytes: usize = 0;
/** MAGIC, which engines would make anew for every use, were it a constant to them. */
let rounding: f32 = 0;

// @ts-ignore: decorator
@inline
function bytesOfGroup(nibbles: bool): usize {
  return nibbles ? 16 : 32;
}

function groupsOf(params: usize, blocks: i32): u32 {
  let groups: u32 = 0;
  for (let b = 0; b < blocks; b++) groups += <u32>load<u16>(params + ((<usize>b) << 1));
  return groups;
}

/** Bytes before the first block. */
function headBytes(blocks: i32, groups: u32): u64 {
  return ((<u64>blocks + groups) * 2 + 15) & ~15;
}

/** Whether the params of a step for `n` outputs lie in the image and all places are below `limit`. */
export function checkSparse(step: usize, n: i32, limit: u32, nibbles: bool): bool {
  const blocks = (n + 7) >> 3;
  if (!hasParams(step, <u64>blocks * 2)) return false;
  const params = address(step, Step.Params);
  const groups = groupsOf(params, blocks);
  const bytes = headBytes(blocks, groups) + <u64>blocks * SPARSE_HEAD + <u64>groups * bytesOfGroup(nibbles);
  if (!hasParams(step, bytes)) return false;
  const end = params + ((<usize>blocks + groups) << 1);
  for (let place = params + ((<usize>blocks) << 1); place < end; place += 2) {
    if (<u32>load<u16>(place) >= limit) return false;
  }
  return true;
}

/** Scratch in which the vector kernels widen a block's weights of four bits to eight. */
export function widenedBytes(params: usize, n: i32, nibbles: bool): usize {
  let most: u32 = 0;
  if (nibbles) for (let b = 0; b < n; b += 8, params += 2) most = max<u32>(most, load<u16>(params));
  return (<usize>most) << 5;
}

export function sparseSetup(params: usize, n: i32, nibbles: bool): void {
  const blocks = (n + 7) >> 3;
  rounding = MAGIC;
  groupBytes = bytesOfGroup(nibbles);
  counts = params;
  places = params + ((<usize>blocks) << 1);
  sparseBlocks = params + <usize>headBytes(blocks, groupsOf(params, blocks));
}

/** Weight of output lane `lane` at input `i` of the group. */
function weightAt(group: usize, lane: i32, i: i32): i32 {
  if (groupBytes == 32) return <i32>load<i8>(group + <usize>((i >> 1) * 16 + lane * 2 + (i & 1)));
  return ((<i32>load<u8>(group + <usize>((lane & 3) * 4 + i)) >> (lane & 4)) & 15) - 8;
}

/** `pixels` pixels, `step` int8 cells apart, against all blocks: the scalar build's kernel. */
export function sparseScalar(
  x: usize, step: usize, pixels: i32, out: usize, n: i32, zero: i32, low: i32, high: i32,
): void {
  let place = places, block = sparseBlocks;
  for (let c = 0; c < n; c++) {
    const lane = c & 7;
    const groups = <usize>load<u16>(counts + ((<usize>(c >> 3)) << 1));
    for (let p = 0; p < pixels; p++) {
      let acc = load<i32>(block + ((<usize>lane) << 2));
      for (let g: usize = 0; g < groups; g++) {
        const cell = x + <usize>p * step + ((<usize>load<u16>(place + (g << 1))) << 2);
        const group = block + SPARSE_HEAD + g * groupBytes;
        for (let i = 0; i < 4; i++) acc += <i32>load<i8>(cell + <usize>i) * weightAt(group, lane, i);
      }
      const multiplier = load<f32>(block + 32 + ((<usize>lane) << 2));
      store<i8>(out + <usize>(p * n + c), <i8>requantize(acc, multiplier, low, high, zero));
    }
    if (lane == 7) {
      place += groups << 1;
      block += SPARSE_HEAD + groups * groupBytes;
    }
  }
}

/**
 * Eight sums to int16 with the zero point added, as requantize.ts does it, but for scaled sums that the packer knows
 * to stay below 2²²: nothing has to be kept from wrapping. `magic` = MAGIC_BITS − zero in every lane.
 */
// @ts-ignore: decorator
@inline
export function scale8(a: v128, b: v128, ma: v128, mb: v128, magic: v128): v128 {
  return i16x8.narrow_i32x4_s(scale4(a, ma, magic), scale4(b, mb, magic));
}

// @ts-ignore: decorator
@inline
function scale4(sums: v128, multipliers: v128, magic: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers), f32x4.splat(rounding)), magic);
}
