// Weights of four bits and fewer: how their blocks lie, their sizes, and the scalar build's view of them.
// A weight is its unsigned code u plus its channel's offset: Σ x·w = Σ x·u + offset · Σ x. A quad is four inputs.
//
//   params:                   ├ table: 16 bytes, Codebook only ┼ block ┼ block ┼ … ┤
//   a block of eight outputs: ├ start i32×8 ┼ multiplier f32×8 ┼ offset i32×8 ┼ vectors of the first segment ┼ … ┤
//
//   a vector, 16 bytes, byte 4o + i:   bit 7      4   3      0      input i of a quad, outputs o and o + 4
//   four bits: one quad                    │ o + 4 │ o     │
//   two bits:  two quads                   │ o + 4 │ o │ o + 4 │ o │     the first quad in the low bits
//   one bit:   four quads                  │ o + 4 │ o │ …           │ o + 4 │ o │     a set bit is u = 2
//
//   Int4Groups, a block: ├ bias i32×8 ┼ group ┼ group ┼ … ┤, anew with every segment
//   a group of inputs:   ├ multiplier f32×8 ┼ (Σ w, offset) i16×2 ×8 ┼ vectors ┤
//
// A segment (a kernel row, simd/gemm.ts) is filled up to whole vectors with u = 0, whatever that meets.
//
// Invariant: gives the same bytes as the vector kernels. A table's values are 0 … 127 in an honest file.

import { ConvKernel } from "../abi";

/** start, multipliers and offsets of a block. */
export const HEAD: usize = 96;
/** The bias of a block with groups. */
export const GROUPS_HEAD: usize = 32;
/** multipliers, sums and offsets of a group. */
export const GROUP_HEAD: usize = 64;
export const TABLE_BYTES: usize = 16;

/** Bits of a weight of a few-bits ConvKernel. */
export function bitsOf(kernel: i32): i32 {
  return kernel == ConvKernel.Binary ? 1 : kernel == ConvKernel.Ternary ? 2 : 4;
}

/** Vectors of a run of `cells` inputs at `bits` bits. */
export function vectorsOf(cells: i32, bits: i32): i32 {
  return (cells * bits + 15) >> 4;
}

/** Bytes of a segment with groups. */
export function groupsRow(cells: i32, size: i32): u64 {
  return <u64>((cells + size - 1) / size) * GROUP_HEAD + ((<u64>vectorsOf(cells, 4)) << 4);
}

/** The code of input `k` of a segment or group for output `lane` of the block. */
export function codeAt(kernel: i32, vectors: usize, table: usize, lane: i32, k: i32): i32 {
  const bits = bitsOf(kernel), quads = 4 / bits, quad = k >> 2;
  const byte = <i32>load<u8>(vectors + <usize>((quad / quads) * 16 + (lane & 3) * 4 + (k & 3)));
  const code = (byte >> ((quad % quads) * 2 * bits + (lane >> 2) * bits)) & ((1 << bits) - 1);
  if (kernel == ConvKernel.Codebook) return <i32>load<u8>(table + <usize>code);
  return bits == 1 ? code << 1 : code;
}
