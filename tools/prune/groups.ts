// Magnitude pruning in the groups that the sparse kernels leave out (tools/pack/sparse.ts): eight outputs by four inputs that
// lie together. Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015, by groups.
// Invariant: pure functions; a pruned weight is the zero point, so that its real value is 0; scales stay as they are.

import { ToolError } from "../errors.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { GROUP_INPUTS, GROUP_OUTPUTS } from "../pack/sparse.ts";

export type PrunableLayer = Node<"conv2d" | "fullyConnected">;

/** Layers of int8 weights for which there are sparse kernels. */
export function prunableLayers(graph: Graph): PrunableLayer[] {
  return graph.nodes.filter(
    (node): node is PrunableLayer =>
      (node.op === "conv2d" || node.op === "fullyConnected") &&
      graph.tensors[node.inputs[0]!]!.dtype === "int8" &&
      graph.tensors[node.inputs[1]!]!.data !== undefined,
  );
}

/**
 * The graph with a part of each layer's groups zeroed, those of least Σ (w·scale)².
 *
 * @param zeros part of the groups to be zero, 0 … 1: one for all layers, or one by layer; undefined leaves it alone
 */
export function pruneGroups(graph: Graph, zeros: number | ((layer: PrunableLayer) => number | undefined)): Graph {
  const tensors = [...graph.tensors];
  const layers = new Set<Node>(prunableLayers(graph));
  const nodes = graph.nodes.map((node): Node => {
    if (!layers.has(node)) return node;
    const layer = node as PrunableLayer;
    const part = typeof zeros === "number" ? zeros : zeros(layer);
    if (part === undefined) return node;
    const [x, w, ...rest] = node.inputs as [number, number, ...number[]];
    return { ...layer, inputs: [x, tensors.push(pruneLayer(layer, tensors[w]!, part)) - 1, ...rest] } as Node;
  });
  return { ...graph, tensors, nodes };
}

/** `weights` of `layer` with the part `zeros` of its groups zeroed, rounded down to whole groups. */
export function pruneLayer(layer: PrunableLayer, weights: Tensor, zeros: number): Tensor {
  if (!(zeros >= 0 && zeros <= 1)) {
    throw new ToolError("USAGE", `${layer.name}: the part of zeros is ${zeros}, expected 0 … 1.`);
  }
  const groups = groupsOfLayer(layer, weights);
  const scores = groups.map((indices) => magnitude(weights, indices));
  const order = [...groups.keys()].sort((a, b) => scores[a]! - scores[b]! || a - b);
  const data = (weights.data as Int8Array).slice();
  for (const group of order.slice(0, Math.floor(zeros * groups.length))) {
    for (const index of groups[group]!) data[index] = zeroPointOf(weights, index);
  }
  return { ...weights, data };
}

/** The indices of each group's weights in the tensor: outputs n … n + 7, four inputs of one kernel row, or of one cell where the width is dilated. */
function groupsOfLayer(layer: PrunableLayer, weights: Tensor): number[][] {
  return groupsOfRuns(weights.shape[0]!, weights.data!.length / weights.shape[0]!, runLength(layer, weights));
}

/** The same for weights [outputs, inputs] whose inputs lie together in runs of `run`. */
export function groupsOfRuns(outputs: number, inputs: number, run: number): number[][] {
  const groups: number[][] = [];
  for (let n = 0; n < outputs; n += GROUP_OUTPUTS) {
    for (let start = 0; start < inputs; start += run) {
      for (let k = start; k < start + run; k += GROUP_INPUTS) {
        const indices: number[] = [];
        for (let o = n; o < Math.min(n + GROUP_OUTPUTS, outputs); o++) {
          for (let i = k; i < Math.min(k + GROUP_INPUTS, start + run); i++) indices.push(o * inputs + i);
        }
        groups.push(indices);
      }
    }
  }
  return groups;
}

function runLength(layer: PrunableLayer, { shape }: Tensor): number {
  if (layer.op === "fullyConnected") return shape[1]!;
  return layer.attrs.dilationW > 1 ? shape[3]! : shape[2]! * shape[3]!;
}

/** Where an output's scale and zero point are; weights may have more than one group of inputs with scales of their own. */
function quantIndex({ quant, data }: Tensor, index: number): number {
  const count = quant!.scale.length;
  return count === 1 ? 0 : Math.floor((index * count) / data!.length);
}

const zeroPointOf = (weights: Tensor, index: number): number => weights.quant!.zeroPoint[quantIndex(weights, index)]!;

function magnitude(weights: Tensor, indices: readonly number[]): number {
  let sum = 0;
  for (const index of indices) {
    const q = (weights.data as Int8Array)[index]! - zeroPointOf(weights, index);
    sum += (q * weights.quant!.scale[quantIndex(weights, index)]!) ** 2;
  }
  return sum;
}
