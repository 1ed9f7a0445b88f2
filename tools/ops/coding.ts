// Weights of fewer bits than eight, and weights whose groups of inputs have scales of their own: their checks, and the
// reference of the latter. Invariant: a coding changes no value, so all other arithmetic is that of int8.
//
// Group-wise: out = clamp(rne(Σg f32(s_g) · m_g) + z_y), where s_g = Σ (x − zx)·(w − zw) over the group, an exact int32,
// to the first of which the bias is added; m_g = f32(f32(s_x · s_w[n, g]) / s_y); products and sums in float32, each
// rounded, in ascending order of g, starting from the first product.

import { ToolError } from "../errors.ts";
import type { Coding, Tensor } from "../graph/graph.ts";
import { roundEven } from "./quantization.ts";

/** Inputs of an output that lie together: a kernel row, or all inputs of a fullyConnected. */
export function rowCells(weights: Tensor): number {
  return weights.shape.length === 4 ? weights.shape[2]! * weights.shape[3]! : weights.shape.at(-1)!;
}

/** Groups of one output: each kernel row has its own, the last one of a row may be shorter. */
export function groupsOf(weights: Tensor, groupSize: number): number {
  const rows = weights.shape.length === 4 ? weights.shape[1]! : 1;
  return rows * Math.ceil(rowCells(weights) / groupSize);
}

/** Of each weight of an output, in the tensor's order, its group; one group of all where none are declared. */
export function groupsIn(weights: Tensor): { readonly groupOf: Int32Array; readonly groups: number } {
  const size = weights.quant?.groupSize;
  const groupOf = new Int32Array(weights.data!.length / weights.shape[0]!);
  if (size === undefined) return { groupOf, groups: 1 };
  const row = rowCells(weights);
  const perRow = Math.ceil(row / size);
  groupOf.forEach((_, k) => {
    groupOf[k] = Math.floor(k / row) * perRow + Math.floor((k % row) / size);
  });
  return { groupOf, groups: groupsOf(weights, size) };
}

const RANGES: Readonly<Record<Exclude<Coding, "codebook">, readonly [number, number]>> = {
  int4: [-8, 7],
  binary: [-1, 1],
  ternary: [-1, 1],
};

/** Throws BAD_GRAPH where the weights' values or zero points are not what their coding says. */
export function checkCoding(weights: Tensor, node: string): void {
  const { coding, name, quant } = weights;
  if (quant?.groupSize !== undefined && coding !== "int4") {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: weights "${name}" have a scale for every ${quant.groupSize} inputs but are ${coding ?? "int8"}, expected int4; quantize them per channel.`,
    );
  }
  if (coding === undefined) return;
  const values = [...new Set(weights.data as Int8Array)].sort((a, b) => a - b);
  const zeroPoints = [...(weights.quant?.zeroPoint ?? [])];
  const refuse = (got: string, expected: string): never => {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: weights "${name}" are marked ${coding} but have ${got}, expected ${expected}; leave the mark out or quantize them again.`,
    );
  };
  if (coding === "codebook") {
    const [least = 0] = values;
    const most = values.at(-1) ?? 0;
    if (values.length > 16 || most - least > 127) {
      refuse(`${values.length} values from ${least} to ${most}`, "at most 16, at most 127 apart");
    }
  } else {
    const [low, high] = RANGES[coding];
    const bad = values.find((value) => value < low || value > high || (coding === "binary" && value === 0));
    if (bad !== undefined) refuse(`the value ${bad}`, coding === "binary" ? "-1 and 1" : `${low} … ${high}`);
  }
  const [low, high] = coding === "int4" ? RANGES.int4 : [0, 0];
  const bad = zeroPoints.find((point) => point < low || point > high);
  if (bad !== undefined) refuse(`the zero point ${bad}`, low === high ? "0" : `${low} … ${high}`);
}

/** Throws UNSUPPORTED for an operator whose weights may not have groups. */
export function refuseGroups(weights: Tensor, node: string): void {
  const size = weights.quant?.groupSize;
  if (size === undefined) return;
  throw new ToolError(
    "UNSUPPORTED",
    `${node}: weights "${weights.name}" have a scale for every ${size} inputs, which only conv2d and fullyConnected of int8 take; quantize them per channel.`,
  );
}

/**
 * Whether the kernels take groups of `size` inputs: 16, 32, … 128, and where windows slide over pixels, channels in fours,
 * with dilated columns in whole groups. `pointwise`: every output pixel is made of the input pixel in its place.
 */
export function groupsFit(weights: Tensor, size: number, pointwise: boolean, dilationW: number): boolean {
  const depth = weights.shape.at(-1)!;
  if (size < 16 || size > 128 || size % 16 !== 0) return false;
  return pointwise || (depth % 4 === 0 && (dilationW === 1 || weights.shape[2] === 1 || depth % size === 0));
}

/** Throws UNSUPPORTED for groups that do not fit. */
export function requireGroupsFit(weights: Tensor, node: string, pointwise: boolean, dilationW: number): void {
  const size = weights.quant?.groupSize;
  if (size === undefined || groupsFit(weights, size, pointwise, dilationW)) return;
  throw new ToolError(
    "UNSUPPORTED",
    `${node}: weights "${weights.name}" have a scale for every ${size} of ${weights.shape.at(-1)} inputs, expected 16, 32, … 128, and for kernels of several cells input channels in fours (dilated: in whole groups); quantize them per channel.`,
  );
}

/** The output for the exact sums of one output's groups, bias in the first. */
export function requantizeGroups(
  sums: ArrayLike<number>,
  multipliers: ArrayLike<number>,
  zeroPoint: number,
  min: number,
  max: number,
): number {
  let total = 0;
  for (let g = 0; g < sums.length; g++) {
    const product = Math.fround(Math.fround(sums[g]!) * multipliers[g]!);
    total = g === 0 ? product : Math.fround(total + product);
  }
  return Math.min(max, Math.max(min, roundEven(total) + zeroPoint));
}
