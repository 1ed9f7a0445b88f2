// Weights of four bits and fewer in the order of the core's kernels; assembly/numeric/fewBits.ts draws the blocks.
// Invariant: a code plus its offset is the weight less its zero point; codes that stand for no weight are 0.

import { ConvKernel } from "../../assembly/abi.ts";
import type { Tensor } from "../graph/graph.ts";
import { foldedBias, type Products } from "./blocks.ts";

const HEAD = 96;
const GROUPS_HEAD = 32;
const GROUP_HEAD = 64;
const TABLE = 16;

export interface FewBits {
  readonly kernel: ConvKernel;
  readonly bits: number;
  /** what a weight less its zero point is above its code's value: one for all, or one an output (and group) */
  readonly offsets: readonly number[];
  /** Codebook: the values of the codes, 0 … 127 */
  readonly table?: Uint8Array;
  /** Int4Groups: inputs of a group */
  readonly groupSize?: number;
}

/** How the core's kernels take these weights; undefined where they are int8. `groupSize` is that of the quantization. */
export function fewBitsOf({ coding, quant, data }: Tensor): FewBits | undefined {
  switch (coding) {
    case "int4": {
      const offsets = Array.from(quant!.zeroPoint, (point) => -8 - point);
      const { groupSize } = quant!;
      if (groupSize === undefined) return { kernel: ConvKernel.Int4, bits: 4, offsets };
      return { kernel: ConvKernel.Int4Groups, bits: 4, offsets, groupSize };
    }
    case "codebook": {
      const values = [...new Set(data as Int8Array)].sort((a, b) => a - b);
      const least = values[0]!;
      const table = new Uint8Array(TABLE);
      table.set(values.map((value) => value - least));
      return { kernel: ConvKernel.Codebook, bits: 4, offsets: [least], table };
    }
    case "ternary":
      return { kernel: ConvKernel.Ternary, bits: 2, offsets: [-1] };
    case "binary":
      return { kernel: ConvKernel.Binary, bits: 1, offsets: [-1] };
    default:
      return undefined;
  }
}

/** The code of a value above the offset. */
function codeOf({ bits, table }: FewBits, above: number): number {
  if (table) return table.indexOf(above);
  return bits === 1 ? above >> 1 : above;
}

/** Writes the codes of a run of inputs of output lane `lane` into the vectors that start at `at`. */
function place(bytes: Uint8Array, at: number, lane: number, few: FewBits, run: Int16Array, offset: number): void {
  const quads = 4 / few.bits;
  for (const [k, w] of run.entries()) {
    const quad = k >> 2;
    const byte = at + Math.floor(quad / quads) * 16 + (lane & 3) * 4 + (k & 3);
    bytes[byte]! |= codeOf(few, w - offset) << ((quad % quads) * 2 * few.bits + (lane >> 2) * few.bits);
  }
}

const vectorBytes = (cells: number, bits: number): number => Math.ceil((cells * bits) / 16) * 16;

/** The params of a conv2d or fullyConnected. Throws UNSUPPORTED where a sum could leave int32. */
export function fewBitsBlocks(products: Products, few: FewBits, node: string): Uint8Array {
  return few.groupSize === undefined
    ? channelBlocks(products, few, node)
    : groupBlocks(products, few, few.groupSize, node);
}

function channelBlocks(products: Products, few: FewBits, node: string): Uint8Array {
  const { weights, outputs, segments, cells, multipliers } = products;
  const row = vectorBytes(cells, few.bits);
  const blockBytes = HEAD + segments * row;
  const table = few.table?.length ?? 0;
  const start = foldedBias(products, node);
  const bytes = new Uint8Array(table + Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  if (few.table) bytes.set(few.table);
  for (let n = 0; n < outputs; n++) {
    const block = table + (n >> 3) * blockBytes;
    const lane = n & 7;
    const offset = few.offsets[few.offsets.length === 1 ? 0 : n]!;
    view.setInt32(block + 4 * lane, start[n]!, true);
    view.setFloat32(block + 32 + 4 * lane, multipliers[n]!, true);
    view.setInt32(block + 64 + 4 * lane, offset, true);
    for (let s = 0; s < segments; s++) {
      const from = (n * segments + s) * cells;
      place(bytes, block + HEAD + s * row, lane, few, weights.subarray(from, from + cells), offset);
    }
  }
  return bytes;
}

function groupBlocks(products: Products, few: FewBits, size: number, node: string): Uint8Array {
  const { weights, outputs, segments, cells, multipliers, bias } = products;
  const perRow = Math.ceil(cells / size);
  const row = perRow * GROUP_HEAD + vectorBytes(cells, 4);
  const blockBytes = GROUPS_HEAD + segments * row;
  foldedBias(products, node);
  const bytes = new Uint8Array(Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * blockBytes;
    const lane = n & 7;
    view.setInt32(block + 4 * lane, bias?.[n] ?? 0, true);
    for (let s = 0; s < segments; s++) {
      for (let g = 0; g < perRow; g++) {
        const index = (n * segments + s) * perRow + g;
        const from = (n * segments + s) * cells + g * size;
        const run = weights.subarray(from, from + Math.min(size, cells - g * size));
        const offset = few.offsets[index]!;
        const head = block + GROUPS_HEAD + s * row + g * (GROUP_HEAD + vectorBytes(size, 4));
        view.setFloat32(head + 4 * lane, multipliers[index]!, true);
        view.setInt16(
          head + 32 + 4 * lane,
          run.reduce((sum, w) => sum + w, 0),
          true,
        );
        view.setInt16(head + 34 + 4 * lane, offset, true);
        place(bytes, head + GROUP_HEAD, lane, few, run, offset);
      }
    }
  }
  return bytes;
}
