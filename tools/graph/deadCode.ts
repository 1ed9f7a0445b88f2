// Removes nodes and tensors that no output depends on, and numbers the rest anew.
// Invariant: inputs stay, also unused ones: they are part of the model's interface; so does what a run leaves to the next.

import type { Graph, Tensor } from "./graph.ts";
import { rename, tensorAt } from "./uses.ts";

export function removeDeadCode(graph: Graph): Graph {
  const kept = (graph.states ?? []).map(({ output }) => output);
  const live = new Set<number>([...graph.inputs, ...graph.outputs, ...(graph.states ?? []).map(({ input }) => input)]);
  const wanted = new Set<number>([...graph.outputs, ...kept]);
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((id) => wanted.has(id))) return false;
      for (const id of node.inputs) if (id >= 0) wanted.add(id);
      for (const id of [...node.inputs, ...node.outputs]) if (id >= 0) live.add(id);
      return true;
    })
    .toReversed();
  const ids = new Map<number, number>();
  const tensors: Tensor[] = [];
  for (const id of graph.tensors.keys()) {
    if (live.has(id)) ids.set(id, tensors.push(tensorAt(graph, id)) - 1);
  }
  const moved = (list: readonly number[]): number[] => list.map((id) => ids.get(id) ?? id);
  const edges = new Map([...(graph.edges ?? [])].map(([id, dtype]) => [ids.get(id) ?? id, dtype]));
  return {
    ...graph,
    tensors,
    nodes: nodes.map((node) => rename(node, ids)),
    inputs: moved(graph.inputs),
    outputs: moved(graph.outputs),
    ...(graph.edges === undefined ? {} : { edges }),
    ...(graph.states && {
      states: graph.states.map(({ input, output }) => ({
        input: ids.get(input) ?? input,
        output: ids.get(output) ?? output,
      })),
    }),
  };
}
