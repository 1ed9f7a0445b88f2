// The packer's side of assembly/ops/conv2dWinograd.ts, which draws the layout: U = (2G) g (2G)ᵀ of
// each 3×3 kernel, in exact integers, 16/9 as many weights and twice as wide.
// Invariant: |U| ≤ 9·127, so it fits in int16.

import type { Tensor, Window } from "../graph/graph.ts";
import type { Geometry } from "../ops/window.ts";
import { align16 } from "./align.ts";
import { foldedBias, type Products } from "./blocks.ts";

/** Most input channels for which 4·Y stays in int32: as in assembly/ops/conv2dWinograd.ts. */
const MOST_CHANNELS = 3600;
/** Fewer tiles than this in a row leave the four-tile kernel idle; fewer channels leave the transforms unpaid. */
const LEAST_TILES = 3;
const LEAST_CHANNELS = 8;

const tilesInRow = (output: Tensor): number => Math.ceil(output.shape[2]! / 2);
const paddedTiles = (output: Tensor): number => Math.ceil(tilesInRow(output) / 4) * 4;

/** Whether a convolution of int8 weights can and should run by Winograd's algorithm. */
export function winogradFits(window: Window, geometry: Geometry, output: Tensor, inC: number): boolean {
  const { kernelH, kernelW, dilationH, dilationW } = geometry;
  return (
    kernelH === 3 &&
    kernelW === 3 &&
    dilationH === 1 &&
    dilationW === 1 &&
    window.strideH === 1 &&
    window.strideW === 1 &&
    inC % 8 === 0 &&
    inC <= MOST_CHANNELS &&
    inC >= LEAST_CHANNELS &&
    output.shape[3]! >= LEAST_CHANNELS &&
    tilesInRow(output) >= LEAST_TILES
  );
}

export function winogradScratch(output: Tensor, inC: number): number {
  const slot = align16((2 * tilesInRow(output) + 2) * inC * 2 + 16);
  return 4 * slot + paddedTiles(output) * (inC * 32 + 512);
}

const TWICE_G = [
  [2, 0, 0],
  [1, 1, 1],
  [1, -1, 1],
  [0, 0, 2],
] as const;

/** Blocks of eight outputs: bias, multipliers, then U₀ … U₁₅, each in pairs of inputs × 8 outputs. */
export function winogradBlocks(products: Products, node: string): Uint8Array {
  const { weights, outputs, multipliers, cells } = products;
  const inC = cells / 3;
  const blockBytes = 64 + 256 * inC;
  const bias = foldedBias(products, node);
  const bytes = new Uint8Array(Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * blockBytes;
    const lane = n & 7;
    view.setInt32(block + 4 * lane, bias[n]!, true);
    view.setFloat32(block + 32 + 4 * lane, multipliers[n]!, true);
    for (let c = 0; c < inC; c++) {
      for (const [i, left] of TWICE_G.entries()) {
        for (const [j, right] of TWICE_G.entries()) {
          let u = 0;
          for (let a = 0; a < 3; a++) {
            for (let b = 0; b < 3; b++) u += left[a]! * right[b]! * weights[((n * 3 + a) * 3 + b) * inC + c]!;
          }
          const at = block + 64 + (i * 4 + j) * inC * 16 + ((c >> 1) * 16 + lane * 2 + (c & 1)) * 2;
          view.setInt16(at, u, true);
        }
      }
    }
  }
  return bytes;
}
