// The one gate between importers and the packer: every node's operator accepts its tensors and
// computes the types that the graph declares. Invariant: a graph that passes can be evaluated and packed.

import { ToolError } from "../errors.ts";
import { operatorFor } from "../ops/registry.ts";
import { elementCount, type Graph, type Node, type State, type Tensor } from "./graph.ts";
import { sameType } from "./uses.ts";

/** Throws a ToolError in one sentence for the first thing that does not fit. */
export function validateGraph(graph: Graph): void {
  const known = new Set<number>([...graph.inputs, ...(graph.states ?? []).map(({ input }) => input)]);
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
  for (const state of graph.states ?? []) checkState(graph, state);
}

function checkState(graph: Graph, { input, output }: State): void {
  const [before, after] = [graph.tensors[input], graph.tensors[output]];
  if (!before || !after || !sameType(before, after)) {
    const text = (tensor?: Tensor): string =>
      tensor ? `${tensor.dtype} [${tensor.shape}] "${tensor.name}"` : "nothing";
    throw new ToolError(
      "BAD_GRAPH",
      `the state ${text(before)} is replaced by ${text(after)} after each run: both must have one type and quantization.`,
    );
  }
  const written =
    graph.nodes.some((node) => node.outputs.includes(input)) || graph.inputs.includes(input) || before.data;
  if (written || !graph.nodes.some((node) => node.outputs.includes(output))) {
    throw new ToolError(
      "BAD_GRAPH",
      `the state "${before.name}" must be written by nothing but the end of a run, and "${after.name}" by a node; copy it in a node of its own.`,
    );
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
