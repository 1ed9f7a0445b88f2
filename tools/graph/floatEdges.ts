// Moves float32 out of the graph at its edges: an input that is only quantized, and an output that is
// only a dequantized tensor, become integer ports that the caller still sees as float32.
// Invariant: the host converts by the same rule as the nodes that go.

import type { Graph, Node } from "./graph.ts";
import { rename, sameType, tensorAt, Uses } from "./uses.ts";

export function floatEdges(graph: Graph): Graph {
  return outputEdges(inputEdges(graph));
}

/** Replaces float input → quantize by the quantized tensor, under the input's name. */
function inputEdges(graph: Graph): Graph {
  const uses = new Uses(graph);
  const edges = new Map(graph.edges);
  const tensors = [...graph.tensors];
  const ids = new Map<number, number>();
  const gone = new Set<Node>();
  const inputs = graph.inputs.map((id) => {
    const input = tensorAt(graph, id);
    const readers = uses.consumers(id);
    const [first] = readers;
    const port = first?.outputs[0];
    if (input.dtype !== "float32" || first === undefined || port === undefined || uses.isOutput(id)) return id;
    const alike = readers.every((node) => {
      const [output] = node.outputs;
      if (node.op !== "quantize" || output === undefined || uses.isOutput(output)) return false;
      return sameType(tensorAt(graph, output), tensorAt(graph, port));
    });
    if (!alike) return id;
    for (const node of readers) {
      gone.add(node);
      for (const output of node.outputs) ids.set(output, port);
    }
    tensors[port] = { ...tensorAt(graph, port), name: input.name };
    edges.set(port, "float32");
    return port;
  });
  if (gone.size === 0) return graph;
  const nodes = graph.nodes.filter((node) => !gone.has(node)).map((node) => rename(node, ids));
  return { ...graph, tensors, nodes, inputs, edges };
}

/** Replaces dequantize → float output by the integer tensor, under the output's name. */
function outputEdges(graph: Graph): Graph {
  const uses = new Uses(graph);
  const edges = new Map(graph.edges);
  const tensors = [...graph.tensors];
  const gone = new Set<Node>();
  const kept = (graph.states ?? []).flatMap(({ input, output }) => [input, output]);
  const ports = new Set<number>([...graph.inputs, ...graph.outputs, ...kept]);
  const replaced = new Map<number, number>();
  for (const id of new Set(graph.outputs)) {
    const node = uses.producer(id);
    const source = node?.inputs[0];
    if (node?.op !== "dequantize" || source === undefined || uses.consumers(id).length > 0) continue;
    if (ports.has(source) || tensorAt(graph, source).data !== undefined) continue;
    ports.add(source);
    gone.add(node);
    replaced.set(id, source);
    tensors[source] = { ...tensorAt(graph, source), name: tensorAt(graph, id).name };
    edges.set(source, "float32");
  }
  if (gone.size === 0) return graph;
  const nodes = graph.nodes.filter((node) => !gone.has(node));
  return { ...graph, tensors, nodes, outputs: graph.outputs.map((id) => replaced.get(id) ?? id), edges };
}
