// The layers of an integer graph that multiply by constant weights, and how their weights read as real numbers.
// Invariant: an output's weights are in the order of the cells of its patch of the input: kernel rows, columns, channels;
// a depthwise output's are the taps of its own channel.

import { elementCount, type Graph, type Node, type Tensor } from "../graph/graph.ts";
import { groupsIn } from "../ops/coding.ts";

export type Layer = Node<"conv2d" | "depthwiseConv2d" | "fullyConnected">;

/** Layers whose weights can be coded: constant int8 beside int8 activations. */
export function weightedLayers(graph: Graph): Layer[] {
  return graph.nodes.filter(
    (node): node is Layer =>
      (node.op === "conv2d" || node.op === "depthwiseConv2d" || node.op === "fullyConnected") &&
      graph.tensors[node.inputs[0]!]!.dtype === "int8" &&
      graph.tensors[node.inputs[1]!]!.data !== undefined,
  );
}

export const outputsOf = (node: Layer, weights: Tensor): number =>
  node.op === "depthwiseConv2d" ? weights.shape[3]! : weights.shape[0]!;

/** Of each output the places of its weights in the tensor. */
export function rows(node: Layer, weights: Tensor): number[][] {
  const channels = outputsOf(node, weights);
  const each = elementCount(weights.shape) / channels;
  return Array.from({ length: channels }, (_, n) =>
    Array.from({ length: each }, (_, i) => (node.op === "depthwiseConv2d" ? i * channels + n : n * each + i)),
  );
}

/** Of each weight, in the tensor's order, its real value. */
export function realWeights(node: Layer, weights: Tensor): Float64Array {
  const { scale, zeroPoint } = weights.quant!;
  const data = weights.data as Int8Array;
  const channels = outputsOf(node, weights);
  const each = data.length / channels;
  const { groupOf, groups } = groupsIn(weights);
  return Float64Array.from(data, (q, i) => {
    if (scale.length === 1) return scale[0]! * (q - zeroPoint[0]!);
    const c = node.op === "depthwiseConv2d" ? i % channels : Math.floor(i / each) * groups + groupOf[i % each]!;
    return scale[c]! * (q - zeroPoint[c]!);
  });
}

/** The scale of an output's bias: that of its first group. */
export function biasScale(node: Layer, x: Tensor, weights: Tensor, output: number): number {
  const { scale } = weights.quant!;
  const perOutput = scale.length === 1 ? 0 : scale.length / outputsOf(node, weights);
  return Math.fround(x.quant!.scale[0]! * scale[output * perOutput]!);
}
