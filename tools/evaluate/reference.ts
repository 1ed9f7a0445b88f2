// Runs a graph with the operators' integer references: the truth that every build is held to.
// Invariant: depends on nothing but the graph and the inputs; plain and slow.

import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type TensorData, zeros } from "../graph/graph.ts";
import type { Value } from "../ops/operator.ts";
import { operatorFor } from "../ops/registry.ts";

/** What a session starts with: every state as the real value 0. */
export function freshStates(graph: Graph): TensorData[] {
  return (graph.states ?? []).map(({ input }) => {
    const { dtype, shape, quant } = graph.tensors[input]!;
    const data = zeros(dtype, elementCount(shape));
    if (data instanceof BigInt64Array) return data;
    return data.fill(quant?.zeroPoint[0] ?? 0);
  });
}

/**
 * Evaluates `graph` on `inputs` (one typed array an input, in order) and on what the run before it left, else on a
 * fresh state. Returns every tensor's data, by id.
 */
export function evaluateAll(
  graph: Graph,
  inputs: readonly TensorData[],
  states: readonly TensorData[] = freshStates(graph),
): readonly (TensorData | undefined)[] {
  const data: (TensorData | undefined)[] = graph.tensors.map((tensor) => tensor.data);
  for (const [i, { input }] of (graph.states ?? []).entries()) data[input] = states[i]!;
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

/** One run of a stream after another: `run` gives the outputs and keeps the states, as a session does. */
export class StreamReference {
  readonly #graph: Graph;
  /** in the order of `graph.states` */
  states: readonly TensorData[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.states = freshStates(graph);
  }

  run(inputs: readonly TensorData[]): readonly TensorData[] {
    const data = evaluateAll(this.#graph, inputs, this.states);
    this.states = (this.#graph.states ?? []).map(({ output }) => data[output]!);
    return this.#graph.outputs.map((id) => data[id]!);
  }
}
