// What conv2d, depthwiseConv2d, fullyConnected and the pools share on the tools' side: their checks
// and the fields of a convolution step. Invariant: sizes follow floor((in + pad − extent) / stride) + 1.

import { Conv } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import type { Padding, Tensor, Window } from "../graph/graph.ts";
import { checkCoding, groupsOf } from "./coding.ts";
import { clampRange, perTensor } from "./quantization.ts";

export interface Geometry {
  readonly kernelH: number;
  readonly kernelW: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

export function present(tensor: Tensor | undefined, node: string, what: string): Tensor {
  if (!tensor) throw new ToolError("BAD_GRAPH", `${node}: its ${what} is missing; give it one.`);
  return tensor;
}

/** Output height and width of a sliding window. */
export function windowSize(input: Tensor, window: Window, geometry: Geometry, node: string): readonly [number, number] {
  const size = (extent: number, before: number, after: number, kernel: number, dilation: number, stride: number) =>
    Math.floor((extent + before + after - ((kernel - 1) * dilation + 1)) / stride) + 1;
  const padding: Padding = window.padding;
  const height = size(
    input.shape[1]!,
    padding.top,
    padding.bottom,
    geometry.kernelH,
    geometry.dilationH,
    window.strideH,
  );
  const width = size(
    input.shape[2]!,
    padding.left,
    padding.right,
    geometry.kernelW,
    geometry.dilationW,
    window.strideW,
  );
  if (height < 1 || width < 1) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: a ${geometry.kernelH}×${geometry.kernelW} window does not fit into ${input.shape[1]}×${input.shape[2]} with its padding; check the kernel and the padding.`,
    );
  }
  return [height, width];
}

export function requireRank(tensor: Tensor, rank: number, node: string): void {
  if (tensor.shape.length !== rank) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: tensor "${tensor.name}" has shape [${tensor.shape}] but the operator takes ${rank} dimensions; reshape it first.`,
    );
  }
}

export function requireDType(tensor: Tensor, allowed: readonly string[], node: string): void {
  if (!allowed.includes(tensor.dtype)) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: tensor "${tensor.name}" is ${tensor.dtype} but the operator takes ${allowed.join(" or ")}; quantize the model to full integers first.`,
    );
  }
}

/** Weights are constant, with one scale or one a channel; the bias, if any, is a constant int32 vector. */
export function requireWeights(weights: Tensor, bias: Tensor | undefined, channels: number, node: string): void {
  requireDType(weights, ["int8"], node);
  const scales = weights.quant?.scale.length ?? 0;
  if (!weights.data) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: weights "${weights.name}" are computed, not constant; freeze them in the model.`,
    );
  }
  const { groupSize } = weights.quant ?? {};
  const wanted = groupSize === undefined ? channels : channels * groupsOf(weights, groupSize);
  if (scales !== wanted && (scales !== 1 || groupSize !== undefined)) {
    const expected = groupSize === undefined ? `1 or ${channels}` : `${wanted} (groups of ${groupSize} inputs)`;
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: weights "${weights.name}" need ${expected} scales but have ${scales}; quantize them per tensor or per output channel.`,
    );
  }
  checkCoding(weights, node);
  if (bias && (!bias.data || bias.shape.length !== 1 || bias.shape[0] !== channels)) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: the bias "${bias.name}" must be a constant of shape [${channels}] but is [${bias.shape}]${bias.data ? "" : " and computed"}.`,
    );
  }
}

/** The fields of an int8 convolution step, for Conv.* of the ABI. */
export function convFields(
  input: Tensor,
  output: Tensor,
  window: Window,
  geometry: Geometry,
  node: string,
): (readonly [number, number])[] {
  const outZero = perTensor(output, node).zeroPoint;
  const [min, max] = clampRange(window.activation, output, node);
  return [
    [Conv.Batch, input.shape[0]!],
    [Conv.InH, input.shape[1]!],
    [Conv.InW, input.shape[2]!],
    [Conv.InC, input.shape[3]!],
    [Conv.OutH, output.shape[1]!],
    [Conv.OutW, output.shape[2]!],
    [Conv.OutC, output.shape[3]!],
    [Conv.KernelH, geometry.kernelH],
    [Conv.KernelW, geometry.kernelW],
    [Conv.StrideH, window.strideH],
    [Conv.StrideW, window.strideW],
    [Conv.DilationH, geometry.dilationH],
    [Conv.DilationW, geometry.dilationW],
    [Conv.PadTop, window.padding.top],
    [Conv.PadLeft, window.padding.left],
    [Conv.InZero, perTensor(input, node).zeroPoint],
    [Conv.OutZero, outZero],
    [Conv.Min, min],
    [Conv.Max, max],
  ];
}

/** Width in int-cells of what a convolution's row ring holds of one row. */
export function rowPixels(output: Tensor, window: Window, geometry: Geometry): number {
  return (output.shape[2]! - 1) * window.strideW + (geometry.kernelW - 1) * geometry.dilationW + 1;
}

export function rowsHeld(geometry: Geometry): number {
  return (geometry.kernelH - 1) * geometry.dilationH + 1;
}
