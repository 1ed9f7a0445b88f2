// How conv2d and fullyConnected lower weights of four bits and fewer (assembly/ops/fewBits.ts).
// Invariant: scratch is at least what that file's checks ask for.

import type { Tensor } from "../graph/graph.ts";
import type { Products } from "../pack/blocks.ts";
import { type FewBits, fewBitsBlocks, fewBitsOf } from "../pack/fewBits.ts";

const NAMES: Readonly<Record<string, string>> = {
  int4: "s4",
  codebook: "codebook",
  ternary: "ternary",
  binary: "binary",
};

/** Outputs of fewer inputs save hardly a byte, their blocks' heads being as large, and lose time (npm run bench:weights). */
const LEAST_INPUTS = 48;

/** How the core takes these weights, and whether it pays; undefined: as int8. `whole`: inputs lie in quads wherever it starts. */
export function codedAs(weights: Tensor, products: Products, whole: boolean): FewBits | undefined {
  const few = fewBitsOf(weights);
  if (!few || !whole) return undefined;
  return products.segments * products.cells >= LEAST_INPUTS || few.groupSize !== undefined ? few : undefined;
}

export interface FewBitsStep {
  readonly kernel: number;
  readonly params: Uint8Array;
  /** of the weights, in words */
  readonly name: string;
  /** besides rows and the segments' addresses */
  readonly roomBytes: number;
  readonly groupSize: number;
}

export function fewBitsStep(weights: Tensor, few: FewBits, products: Products, node: string): FewBitsStep {
  const { segments, cells } = products;
  const { kernel, bits, groupSize } = few;
  const pairs = groupSize === undefined ? 0 : segments * Math.ceil(cells / groupSize) * 20;
  const unpacked = bits === 4 ? 0 : segments * Math.ceil(cells / 4) * 64;
  const name = NAMES[weights.coding!]!;
  return {
    kernel,
    params: fewBitsBlocks(products, few, node),
    name: groupSize === undefined ? name : `${name}:g${groupSize}`,
    roomBytes: 32 + pairs + unpacked,
    groupSize: groupSize ?? 0,
  };
}

/**
 * Rows or pixels from which on it pays to lay all weights out at eight bits in every run: a weight costs half an instruction
 * so, and two thirds of one less for a pixel whose tile need not unpack it.
 */
const LEAST_PIXELS = 16;

/** Bytes behind `direct` ones for that; 0 where it does not pay, or the core could not. */
export function widenedBytes({ segments, cells, outputs }: Products, few: FewBits, pixels: number): number {
  if (few.groupSize !== undefined || pixels < LEAST_PIXELS || cells % 4 !== 0 || cells <= 8) return 0;
  const quads = (cells / 4) * segments;
  const blocks = Math.ceil(outputs / 8) * (64 + quads * 32);
  const strips = Math.ceil(quads / 4) * 4 * (32 + Math.ceil(outputs / 16) * 64);
  return Math.max(blocks, strips);
}

/** Five rows of int16 in whole vectors. */
export function fewBitsRows(inputs: number): number {
  return (Math.ceil(inputs / 16) * 16 + 8) * 10;
}
