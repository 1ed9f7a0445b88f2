// The real weights of a float graph's layers as the integer layers of the same names hold them.
// Invariant: the order is that of the integers that graph/integerForms.ts makes; layers without constant weights are left out.

import type { Graph, Node } from "../graph/graph.ts";

/** By layer name. */
export function floatWeights(graph: Graph): ReadonlyMap<string, Float64Array> {
  const found = new Map<string, Float64Array>();
  for (const node of graph.nodes) {
    if (node.op !== "floatConv" && node.op !== "floatMatmul") continue;
    const { data, shape, dtype } = graph.tensors[node.inputs[1]!]!;
    if (!data || dtype !== "float32") continue;
    const inner = sourceOrder(node, shape);
    const from = data as Float32Array;
    found.set(
      node.name,
      Float64Array.from({ length: from.length }, (_, at) => from[inner(at)]!),
    );
  }
  return found;
}

/** By layer name, one an output; zeros where a layer has none; layers whose bias is no constant are left out. */
export function floatBiases(graph: Graph): ReadonlyMap<string, Float64Array> {
  const found = new Map<string, Float64Array>();
  for (const node of graph.nodes) {
    if (node.op !== "floatConv" && node.op !== "floatMatmul") continue;
    const id = node.inputs[2] ?? -1;
    const bias = id < 0 ? undefined : graph.tensors[id]!;
    const outputs = graph.tensors[node.outputs[0]!]!.shape.at(-1)!;
    if (bias && !bias.data) continue;
    found.set(
      node.name,
      Float64Array.from({ length: outputs }, (_, n) => Number(bias?.data?.[bias.data.length === 1 ? 0 : n] ?? 0)),
    );
  }
  return found;
}

/** Of each place among the integers, the place in the float tensor. */
function sourceOrder(node: Node<"floatConv"> | Node<"floatMatmul">, shape: readonly number[]): (at: number) => number {
  if (node.op === "floatMatmul") {
    const [k, n] = [shape.at(-2)!, shape.at(-1)!];
    return node.attrs.transposeB ? (at) => at : (at) => (at % k) * n + Math.floor(at / k);
  }
  const isDepthwise = node.attrs.groups > 1 && shape.at(-1) === 1;
  if (!isDepthwise) return (at) => at;
  const outC = shape[0]!;
  const taps = shape.slice(1).reduce((product, size) => product * size, 1);
  return (at) => (at % outC) * taps + Math.floor(at / outC);
}
