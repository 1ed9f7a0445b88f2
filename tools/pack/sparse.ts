// Weights of which whole groups are zero: eight outputs by four inputs, which the core then leaves out.
// Invariant: what assembly/numeric/sparseBlocks.ts draws; the groups kept are all that hold a weight other than zero.

import { align16 } from "./align.ts";
import { foldedBias, type Products } from "./blocks.ts";

/** The group: outputs that share a place, and inputs that lie behind one another in a segment. */
export const GROUP_OUTPUTS = 8;
export const GROUP_INPUTS = 4;
/** Places are 16 bits wide. */
const MOST_PLACES = 65536;
/** As in assembly/ops/sparseRows.ts. */
const STRIP_BYTES = 16384;

/** Where segment `s` starts, in cells from the first cell of the pixel. */
export type SegmentStart = (s: number) => number;

export interface SparseGroups {
  /** of every block of eight outputs: the groups kept, as indices of their first input's place among all */
  readonly kept: readonly (readonly number[])[];
  /** groups of a whole block */
  readonly perBlock: number;
  /** groups kept of all */
  readonly density: number;
}

/** The groups of `products` that hold a weight other than zero. */
export function findGroups({ weights, outputs, segments, cells }: Products): SparseGroups {
  const perSegment = Math.ceil(cells / GROUP_INPUTS);
  const perBlock = segments * perSegment;
  const kept: number[][] = [];
  for (let n = 0; n < outputs; n += GROUP_OUTPUTS) {
    const used = new Uint8Array(perBlock);
    for (let lane = n; lane < Math.min(n + GROUP_OUTPUTS, outputs); lane++) {
      for (let s = 0; s < segments; s++) {
        const from = (lane * segments + s) * cells;
        for (let k = 0; k < cells; k++) {
          if (weights[from + k] !== 0) used[s * perSegment + Math.floor(k / GROUP_INPUTS)] = 1;
        }
      }
    }
    kept.push([...used.keys()].filter((group) => used[group]));
  }
  const total = kept.reduce((sum, block) => sum + block.length, 0);
  return { kept, perBlock, density: total / (kept.length * perBlock) };
}

/** Whether places fit their 16 bits and are whole groups apart. */
export function placesFit({ segments, cells }: Products, start: SegmentStart): boolean {
  for (let s = 0; s < segments; s++) {
    if (start(s) % GROUP_INPUTS !== 0 || (start(s) + cells) / GROUP_INPUTS > MOST_PLACES) return false;
  }
  return true;
}

export const fitsNibbles = (weights: Int16Array): boolean => weights.every((w) => w >= -8 && w <= 7);

/** Counts, places and blocks; `nibbles` stores four bits a weight. */
export function sparseBlocks(
  products: Products,
  { kept, perBlock }: SparseGroups,
  start: SegmentStart,
  nibbles: boolean,
  node: string,
): Uint8Array {
  const { weights, outputs, segments, cells, multipliers } = products;
  const perSegment = perBlock / segments;
  const groups = kept.reduce((sum, block) => sum + block.length, 0);
  const groupBytes = nibbles ? 16 : 32;
  const head = align16((kept.length + groups) * 2);
  const bytes = new Uint8Array(head + kept.length * 64 + groups * groupBytes);
  const view = new DataView(bytes.buffer);
  const bias = foldedBias(products, node);
  let place = kept.length * 2;
  let at = head;
  for (const [b, block] of kept.entries()) {
    view.setUint16(b * 2, block.length, true);
    const lanes = Math.min(GROUP_OUTPUTS, outputs - b * GROUP_OUTPUTS);
    for (let lane = 0; lane < lanes; lane++) {
      view.setInt32(at + 4 * lane, bias[b * GROUP_OUTPUTS + lane]!, true);
      view.setFloat32(at + 32 + 4 * lane, multipliers[b * GROUP_OUTPUTS + lane]!, true);
    }
    at += 64;
    for (const group of block) {
      const s = Math.floor(group / perSegment);
      const first = (group % perSegment) * GROUP_INPUTS;
      view.setUint16(place, (start(s) + first) / GROUP_INPUTS, true);
      place += 2;
      // eights stand for zero
      if (nibbles) bytes.fill(0x88, at, at + groupBytes);
      for (let lane = 0; lane < lanes; lane++) {
        for (let i = 0; i < Math.min(GROUP_INPUTS, cells - first); i++) {
          const w = weights[((b * GROUP_OUTPUTS + lane) * segments + s) * cells + first + i]!;
          if (nibbles) {
            bytes[at + (lane & 3) * 4 + i]! += w << (lane & 4);
          } else {
            view.setInt8(at + (i >> 1) * 16 + lane * 2 + (i & 1), w);
          }
        }
      }
      at += groupBytes;
    }
  }
  return bytes;
}

/** Scratch for a block's weights of four bits, widened. */
export function widenedScratch({ kept }: SparseGroups, nibbles: boolean): number {
  return nibbles ? 32 * Math.max(...kept.map((block) => block.length)) : 0;
}

/** Scratch of a product of rows: a strip of them, widened. */
export function sparseRowsScratch(inputs: number): number {
  const row = Math.ceil(inputs / 8) * 16;
  return row * Math.max(4, Math.floor(STRIP_BYTES / row / 4) * 4);
}
