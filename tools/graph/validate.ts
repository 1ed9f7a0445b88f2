// The one gate between importers and the packer: every node's operator accepts its tensors and
// computes the types that the graph declares. Invariant: a graph that passes can be evaluated and packed.

import { ToolError } from "../errors.ts";
import { operatorFor } from "../ops/registry.ts";
import { elementCount, type Graph, type Node, type Tensor } from "./graph.ts";

/** Throws a ToolError in one sentence for the first thing that does not fit. */
export function validateGraph(graph: Graph): void {
  const known = new Set<number>(graph.inputs);
  for (const [id, tensor] of graph.tensors.entries()) {
    if (!tensor.data) continue;
    known.add(id);
    if (tensor.data.length !== elementCount(tensor.shape)) {
      throw new ToolError(
        "BAD_GRAPH",
        `tensor "${tensor.name}" of shape [${tensor.shape}] needs ${elementCount(tensor.shape)} values but has ${tensor.data.length}.`,
      );
    }
  }
  for (const node of graph.nodes) {
    for (const id of node.inputs) {
      if (id >= 0 && !known.has(id)) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: reads tensor "${graph.tensors[id]?.name ?? id}" before anything has written it.`,
        );
      }
    }
    checkNode(graph, node);
    for (const id of node.outputs) known.add(id);
  }
  for (const id of graph.outputs) {
    if (!known.has(id))
      throw new ToolError("BAD_GRAPH", `the output "${graph.tensors[id]?.name ?? id}" is never written.`);
  }
}

export function inputTensors(graph: Graph, node: Node): (Tensor | undefined)[] {
  return node.inputs.map((id) => (id < 0 ? undefined : graph.tensors[id]));
}

function checkNode(graph: Graph, node: Node): void {
  const outputs = node.outputs.map((id) => graph.tensors[id]!);
  const types = operatorFor(node.op).check(node, inputTensors(graph, node), outputs);
  for (const [i, type] of types.entries()) {
    const output = outputs[i]!;
    if (type.dtype !== output.dtype || type.shape.join() !== output.shape.join()) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${node.op} gives ${type.dtype} [${type.shape}] but the model declares "${output.name}" as ${output.dtype} [${output.shape}]; the model is inconsistent.`,
      );
    }
  }
}
