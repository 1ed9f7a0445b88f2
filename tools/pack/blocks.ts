// Weights in the order that the core's kernels read them. Invariant: what assembly/simd/gemm.ts and
// assembly/ops/depthwiseConv2d.ts draw; padding weights are zero, so whatever they meet adds nothing.
//
//   block of eight outputs: ├ bias i32×8 ┼ multiplier f32×8 ┼ pairs ┤
//   pair of inputs k, k+1:  ├ w[k][n0] w[k+1][n0] … w[k][n7] w[k+1][n7] ┤

import { ToolError } from "../errors.ts";

export interface Products {
  /** [outputs][segments][cells], row-major, zero point already subtracted: −255 … 255 */
  readonly weights: Int16Array;
  readonly outputs: number;
  readonly segments: number;
  /** inputs in one segment; padded to an even count in the blocks */
  readonly cells: number;
  /** of the input; cells of padding read it too */
  readonly inputZero: number;
  readonly bias: Int32Array | undefined;
  readonly multipliers: Float32Array;
}

/** The least and the largest sum of output `n`, over all int8 inputs. */
function sumRange({ weights, outputs, inputZero, bias }: Products, n: number): readonly [least: number, most: number] {
  const perOutput = weights.length / outputs;
  let least = bias?.[n] ?? 0;
  let most = least;
  for (let k = n * perOutput; k < (n + 1) * perOutput; k++) {
    const w = weights[k]!;
    least += Math.min((-128 - inputZero) * w, (127 - inputZero) * w);
    most += Math.max((-128 - inputZero) * w, (127 - inputZero) * w);
  }
  return [least, most];
}

/** The largest magnitude of any output's scaled sum, before the zero point and the clamp. */
export function largestResults(products: Products): number {
  let largest = 0;
  for (let n = 0; n < products.outputs; n++) {
    const [least, most] = sumRange(products, n);
    largest = Math.max(largest, Math.max(-least, most) * products.multipliers[n]!);
  }
  return largest;
}

/**
 * bias[n] − inputZero · Σ w[n]. Throws where bias + Σ (x − inputZero)·w could leave int32 for some int8 x;
 * partial sums may, as int32 addition wraps and the whole then comes out right.
 */
export function foldedBias(products: Products, node: string): Int32Array {
  const { weights, outputs, inputZero } = products;
  const perOutput = weights.length / outputs;
  const folded = new Int32Array(outputs);
  for (let n = 0; n < outputs; n++) {
    const [least, most] = sumRange(products, n);
    if (least < -(2 ** 31) || most > 2 ** 31 - 1) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: the sum of output channel ${n} can be ${least} … ${most}, which does not fit in int32; use smaller weights or biases.`,
      );
    }
    const sum = weights.subarray(n * perOutput, (n + 1) * perOutput).reduce((total, w) => total + w, 0);
    folded[n] = (products.bias?.[n] ?? 0) - inputZero * sum;
  }
  return folded;
}

export function fitsInt8(weights: Int16Array): boolean {
  return weights.every((w) => w >= -128 && w <= 127);
}

/**
 * Whether the weights need int16 blocks: because they exceed int8, or because two that are −128 would meet.
 * assembly/simd/gemmNarrow.ts adds the products of two consecutive pairs of an output in int16, and −128 is
 * the only weight of which two products can exceed that.
 */
export function needsWide({ weights, outputs, segments, cells }: Products): boolean {
  if (!fitsInt8(weights)) return true;
  if (!weights.includes(-128)) return false;
  const padded = cells + (cells & 1);
  const row = new Int16Array(segments * padded);
  for (let n = 0; n < outputs; n++) {
    for (let s = 0; s < segments; s++) {
      const from = (n * segments + s) * cells;
      row.set(weights.subarray(from, from + cells), s * padded);
    }
    for (let k = 2; k < row.length; k++) if (row[k] === -128 && row[k - 2] === -128) return true;
  }
  return false;
}

/** Blocks for simd/gemm.ts: int8 weights, or int16 ones where `wide`. */
export function gemmBlocks(products: Products, wide: boolean, node: string): Uint8Array {
  const { weights, outputs, segments, cells, multipliers } = products;
  const pairs = segments * ((cells + 1) >> 1);
  const cellBytes = wide ? 2 : 1;
  const blockBytes = 64 + pairs * 16 * cellBytes;
  const bias = foldedBias(products, node);
  const bytes = new Uint8Array(Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * blockBytes;
    const lane = n & 7;
    view.setInt32(block + 4 * lane, bias[n]!, true);
    view.setFloat32(block + 32 + 4 * lane, multipliers[n]!, true);
    for (let s = 0; s < segments; s++) {
      for (let k = 0; k < cells; k++) {
        const pair = s * ((cells + 1) >> 1) + (k >> 1);
        const at = block + 64 + (pair * 16 + lane * 2 + (k & 1)) * cellBytes;
        const w = weights[(n * segments + s) * cells + k]!;
        if (wide) view.setInt16(at, w, true);
        else view.setInt8(at, w);
      }
    }
  }
  return bytes;
}

/** How depthwiseConv2d pairs the taps of a kernel; assembly/ops/depthwiseConv2d.ts says why. */
export interface TapPairs {
  readonly kernelH: number;
  readonly kernelW: number;
  /** output rows may start on an odd row: a second set of taps is needed */
  readonly startsOdd: boolean;
}

export function evenTaps({ kernelH, kernelW }: TapPairs): number {
  return kernelH === 1 ? (kernelW + 1) >> 1 : ((kernelH + 1) >> 1) * kernelW;
}

function oddTaps({ kernelH, kernelW, startsOdd }: TapPairs): number {
  return startsOdd ? ((kernelH + 2) >> 1) * kernelW : 0;
}

/** Row pairs that one output row can touch. */
export function planeCount({ kernelH, startsOdd }: TapPairs): number {
  return startsOdd ? (kernelH + 2) >> 1 : (kernelH + 1) >> 1;
}

/** Blocks for depthwiseConv2d: weights [channels][kernelH × kernelW] as int16 tap pairs, once for each start. */
export function depthwiseBlocks(products: Products, pairs: TapPairs, node: string): Uint8Array {
  const { weights, outputs, multipliers } = products;
  const { kernelH, kernelW } = pairs;
  const blockBytes = 64 + (evenTaps(pairs) + oddTaps(pairs)) * 32;
  const bias = foldedBias(products, node);
  const bytes = new Uint8Array(Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * blockBytes;
    const lane = n & 7;
    view.setInt32(block + 4 * lane, bias[n]!, true);
    view.setFloat32(block + 32 + 4 * lane, multipliers[n]!, true);
    for (let ky = 0; ky < kernelH; ky++) {
      for (let kx = 0; kx < kernelW; kx++) {
        const w = weights[(n * kernelH + ky) * kernelW + kx]!;
        const place = (tap: number, second: number) =>
          view.setInt16(block + 64 + tap * 32 + lane * 4 + second * 2, w, true);
        if (kernelH === 1) place(kx >> 1, kx & 1);
        else place((ky >> 1) * kernelW + kx, ky & 1);
        if (pairs.startsOdd) place(evenTaps(pairs) + ((ky + 1) >> 1) * kernelW + kx, (ky + 1) & 1);
      }
    }
  }
  return bytes;
}
