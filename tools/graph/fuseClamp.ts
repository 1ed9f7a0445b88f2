// Merges a relu, relu6 or clamp to −1…1 into the operator that computes its input.
// Invariant: the same bytes: both tensors have one scale and zero point, so the clamp only narrows
// the range of integers that the producer already clamps to.

import type { Activation, Graph, Node } from "./graph.ts";
import { sameType, tensorAt, Uses } from "./uses.ts";

const RANGES: readonly (readonly [Activation, number, number])[] = [
  ["none", Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ["relu", 0, Number.POSITIVE_INFINITY],
  ["relu6", 0, 6],
  ["reluN1To1", -1, 1],
];

export function fuseClamp(graph: Graph): Graph {
  const uses = new Uses(graph);
  const nodes: Node[] = [];
  /** where in `nodes` each tensor's producer is: a clamp after a clamp finds the fused one */
  const producers = new Map<number, number>();
  for (const node of graph.nodes) {
    const [x = -1] = node.inputs;
    const [y = -1] = node.outputs;
    const at = producers.get(x) ?? -1;
    const producer = nodes[at];
    if (node.op === "clamp" && producer !== undefined && uses.onlyReader(x, node)) {
      const fused = sameType(tensorAt(graph, x), tensorAt(graph, y)) ? withClamp(producer, node, y) : undefined;
      if (fused !== undefined) {
        nodes[at] = fused;
        producers.set(y, at);
        continue;
      }
    }
    const index = nodes.push(node) - 1;
    for (const id of node.outputs) producers.set(id, index);
  }
  return { ...graph, nodes };
}

function withClamp(producer: Node, clamp: Node<"clamp">, output: number): Node | undefined {
  if (!("activation" in producer.attrs)) return undefined;
  const activation = narrowed(producer.attrs.activation, clamp.attrs.min, clamp.attrs.max);
  if (activation === undefined) return undefined;
  return { ...producer, outputs: [output], attrs: { ...producer.attrs, activation } } as Node;
}

/** The activation that does both; undefined when there is none. */
function narrowed(activation: Activation, min: number, max: number): Activation | undefined {
  const range = RANGES.find(([name]) => name === activation);
  const low = Math.max(range?.[1] ?? 0, min);
  const high = Math.min(range?.[2] ?? 0, max);
  return RANGES.find(([, least, most]) => least === low && most === high)?.[0];
}
