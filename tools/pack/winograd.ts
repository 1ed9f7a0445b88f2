// The packer's side of assembly/ops/conv2dWinograd.ts, which draws its memory: which layers run by
// Winograd's algorithm, and what that takes. The weights in the file stay the direct kernel's.
// Invariant: a layer that is chosen comes out bit for bit as the direct convolution.

import type { Tensor, Window } from "../graph/graph.ts";
import type { Geometry } from "../ops/window.ts";
import { align16 } from "./align.ts";
import { fitsInt8, type Products } from "./blocks.ts";

/** As in assembly/ops/conv2dWinograd.ts. */
const MOST_CHANNELS = 4096;
/** Fewer leave the transforms unpaid. */
const LEAST_CHANNELS = 8;
/** A sum of products must stay below 2²⁵: the top six bits and a factor of nine go into the algorithm's scales. */
const MOST_SUM = 2 ** 25;
/** Products for each output where all tiles are whole: a tile's 36 for its 16 outputs, against nine a direct one takes. */
const PRODUCTS_A_TILE = 36;
const DIRECT_PRODUCTS = 9;
/** Direct products that the transforms of one output cost, in and out, over the eight channels they should be shared by. */
const TRANSFORMS = 16;

const tilesAcross = (output: Tensor): number => Math.ceil(output.shape[2]! / 4);
const tilesDown = (output: Tensor): number => Math.ceil(output.shape[1]! / 4);
const padded = (tiles: number): number => Math.ceil(tiles / 4) * 4;

/** Rows of tiles that are multiplied together: as many as fill the tile of four best, at most four. */
export function winogradBand(output: Tensor): number {
  const across = tilesAcross(output);
  const most = Math.min(4, tilesDown(output));
  let best = 1;
  const idle = (band: number): number => padded(band * across) / (band * across);
  for (let band = 2; band <= most; band++) if (idle(band) < idle(best)) best = band;
  return best;
}

/** The largest magnitude of a sum of int8 inputs times an output's weights. */
function largestSum({ weights, outputs }: Products): number {
  const each = weights.length / outputs;
  let most = 0;
  for (let n = 0; n < outputs; n++) {
    let sum = 0;
    for (let k = 0; k < each; k++) sum += Math.abs(weights[n * each + k]!);
    most = Math.max(most, sum * 128);
  }
  return most;
}

/** Whether a convolution can run by Winograd's algorithm, and is the faster for it. */
export function winogradFits(products: Products, window: Window, geometry: Geometry, output: Tensor): boolean {
  const { kernelH, kernelW, dilationH, dilationW } = geometry;
  const inC = products.cells / 3;
  const applies =
    kernelH === 3 &&
    kernelW === 3 &&
    dilationH === 1 &&
    dilationW === 1 &&
    window.strideH === 1 &&
    window.strideW === 1 &&
    inC % 8 === 0 &&
    inC <= MOST_CHANNELS &&
    Math.min(inC, products.outputs) >= LEAST_CHANNELS &&
    fitsInt8(products.weights) &&
    largestSum(products) < MOST_SUM;
  if (!applies) return false;
  const perOutput = (winogradWaste(output) * PRODUCTS_A_TILE) / 16;
  return perOutput * inC + TRANSFORMS < DIRECT_PRODUCTS * inC;
}

/** Pixels of all tiles multiplied, for one of the output. */
export function winogradWaste(output: Tensor): number {
  const [, outH, outW] = output.shape as [number, number, number];
  const bands = Math.ceil(tilesDown(output) / winogradBand(output));
  const tiles = bands * padded(winogradBand(output) * tilesAcross(output));
  return (tiles * 16) / (outH * outW);
}

/** Bytes of the transformed weights, which `load` makes. */
export function winogradBytes(outC: number, inC: number): number {
  return Math.ceil(outC / 8) * PRODUCTS_A_TILE * inC * 16;
}

export function winogradScratch(output: Tensor, inC: number): number {
  const band = winogradBand(output);
  const pixels = 4 * tilesAcross(output) + 2;
  const slot = align16(pixels * inC * 2 + 16);
  const tiles = padded(band * tilesAcross(output));
  return (4 * band + 2) * slot + 12 * pixels * inC + tiles * (72 * inC + 1152);
}
