// Which kernel takes int8 weights, and what the relaxed tiles (assembly/ops/conv2dRelaxed.ts) need of the scratch.
// Invariant: a step of kernel Int8Symmetric or Int7 keeps the range that its code says; every build takes it.

import { ConvKernel } from "../../assembly/abi.ts";
import { align16 } from "./align.ts";
import { needsWide, type Products } from "./blocks.ts";

/** Below this many pairs of inputs, packing a tile's inputs costs more than it saves. */
const LEAST_PAIRS = 6;
/** Pixels in a row of output, or rows: fewer than a tile. */
const LEAST_PIXELS = 4;

const pairsOf = ({ cells }: Products): number => Math.ceil(cells / 2);

/** `pixels`: of an output row, or rows of a product. */
export function int8Kernel(products: Products, pixels: number): ConvKernel {
  if (needsWide(products)) return ConvKernel.Int8Wide;
  const { weights, segments } = products;
  const pairs = pairsOf(products);
  // a quad of inputs may not begin in one segment and end in the next
  const fits = segments === 1 || pairs % 2 === 0;
  if (!fits || pairs * segments < LEAST_PAIRS || pixels < LEAST_PIXELS) return ConvKernel.Int8;
  const least = weights.reduce((a, b) => Math.min(a, b), 0);
  const most = weights.reduce((a, b) => Math.max(a, b), 0);
  if (least >= -64 && most <= 63) return ConvKernel.Int7;
  return least >= -127 ? ConvKernel.Int8Symmetric : ConvKernel.Int8;
}

export function kernelTypes(kernel: ConvKernel): string {
  if (kernel === ConvKernel.Int8Wide) return "s8×s16";
  return kernel === ConvKernel.Int7 ? "s8×s7" : "s8";
}

const isRelaxed = (kernel: ConvKernel): boolean => kernel === ConvKernel.Int8Symmetric || kernel === ConvKernel.Int7;

/** Strips of a tile's inputs, and seven-bit weights as the relaxed build lays them out. */
function stripsBytes(products: Products, kernel: ConvKernel): number {
  const quads = Math.ceil((pairsOf(products) * products.segments) / 8) * 4;
  return quads * (32 + (kernel === ConvKernel.Int7 ? Math.ceil(products.outputs / 16) * 64 : 0));
}

/** Scratch of a step of which the other builds need `bytes`. */
export function withStrips(products: Products, kernel: ConvKernel, bytes: number): number {
  return isRelaxed(kernel) ? align16(bytes) + stripsBytes(products, kernel) : bytes;
}
