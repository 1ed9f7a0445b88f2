// How conv2d and fullyConnected lower weights of four bits and fewer (assembly/ops/fewBits.ts).
// Invariant: scratch is what that file's checks ask for.

import type { Tensor } from "../graph/graph.ts";
import type { Products } from "../pack/blocks.ts";
import { type FewBits, fewBitsBlocks, fewBitsOf } from "../pack/fewBits.ts";

const NAMES: Readonly<Record<string, string>> = {
  int4: "s4",
  codebook: "codebook",
  ternary: "ternary",
  binary: "binary",
};

/** Outputs of fewer inputs save hardly a byte, their blocks' heads being as large, and lose time (npm run bench -- --weights). */
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

/** Five rows of int16 in whole vectors. */
export function fewBitsRows(inputs: number): number {
  return (Math.ceil(inputs / 16) * 16 + 8) * 10;
}
