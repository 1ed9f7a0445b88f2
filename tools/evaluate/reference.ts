// Runs a graph with the operators' integer references: the truth that every build is held to.
// Invariant: depends on nothing but the graph and the inputs; plain and slow.

import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type TensorData } from "../graph/graph.ts";
import type { Value } from "../ops/operator.ts";
import { operatorFor } from "../ops/registry.ts";

/** Evaluates `graph` on `inputs` (one typed array an input, in order). Returns every tensor's data, by id. */
export function evaluateAll(graph: Graph, inputs: readonly TensorData[]): readonly (TensorData | undefined)[] {
  const data: (TensorData | undefined)[] = graph.tensors.map((tensor) => tensor.data);
  for (const [i, id] of graph.inputs.entries()) {
    const tensor = graph.tensors[id]!;
    const expected = elementCount(tensor.shape);
    if (inputs[i]?.length !== expected) {
      throw new ToolError(
        "BAD_INPUT",
        `input "${tensor.name}" needs ${expected} values but got ${inputs[i]?.length ?? "none"}.`,
      );
    }
    data[id] = inputs[i];
  }
  for (const node of graph.nodes) {
    const values = node.inputs.map((id): Value | undefined =>
      id < 0 ? undefined : { ...graph.tensors[id]!, data: data[id]! },
    );
    const outputs = node.outputs.map((id) => graph.tensors[id]!);
    const results = operatorFor(node.op).reference(node, values, outputs);
    for (const [i, id] of node.outputs.entries()) data[id] = results[i];
  }
  return data;
}

export function evaluate(graph: Graph, inputs: readonly TensorData[]): readonly TensorData[] {
  const data = evaluateAll(graph, inputs);
  return graph.outputs.map((id) => data[id]!);
}
