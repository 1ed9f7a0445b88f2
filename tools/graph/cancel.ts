// Removes moves that undo each other or do nothing: chains of reshape and of transpose become one,
// identities go. Invariant: the same bytes, and the same names, dtypes and shapes of the ports.

import type { Graph, Node } from "./graph.ts";
import { makeNode } from "./node.ts";
import { rename, sameType, tensorAt, Uses } from "./uses.ts";

export function cancelMoves(graph: Graph): Graph {
  const uses = new Uses(graph);
  const nodes: Node[] = [];
  const producers = new Map<number, Node>();
  /** what is read instead of the output of an identity */
  const aliases = new Map<number, number>();
  /** what is computed instead, where the output of an identity is a port */
  const ports = new Map<number, number>();
  for (const original of graph.nodes) {
    const node = simplified(graph, producers, rename(original, aliases));
    const [x = -1] = node.inputs;
    const [y = -1] = node.outputs;
    if (isIdentity(graph, node)) {
      if (!uses.isOutput(y)) {
        aliases.set(y, x);
        continue;
      }
      if (producers.has(x) && !uses.isPort(x) && !ports.has(x)) {
        ports.set(x, y);
        continue;
      }
    }
    nodes.push(node);
    for (const id of node.outputs) producers.set(id, node);
  }
  return { ...graph, nodes: nodes.map((node) => rename(node, ports)) };
}

function isIdentity(graph: Graph, node: Node): boolean {
  const [x, y] = [node.inputs[0], node.outputs[0]];
  if (x === undefined || y === undefined || node.outputs.length !== 1) return false;
  if (!sameType(tensorAt(graph, x), tensorAt(graph, y))) return false;
  switch (node.op) {
    case "reshape":
    case "requantize":
    case "split":
      return true;
    case "pad":
      return node.attrs.paddings.every(([before, after]) => before === 0 && after === 0);
    case "transpose":
      return node.attrs.permutation.every((axis, i) => axis === i);
    case "stridedSlice":
      // Equal shapes without a dropped axis: all of each axis, in this order or reversed.
      return node.attrs.squeeze.length === 0 && node.attrs.strides.every((stride) => stride === 1);
    case "concat":
      return node.inputs.length === 1 && node.attrs.activation === "none";
    default:
      return false;
  }
}

/** The node reading past moves that it absorbs. What it reads is already simplified. */
function simplified(graph: Graph, producers: ReadonlyMap<number, Node>, node: Node): Node {
  const [x = -1] = node.inputs;
  const before = producers.get(x);
  const [source = -1] = before?.inputs ?? [];
  if (node.op === "reshape" && before?.op === "reshape") return { ...node, inputs: [source] };
  if (node.op !== "transpose") return node;
  if (before?.op === "transpose") {
    const permutation = node.attrs.permutation.map((axis) => before.attrs.permutation[axis] ?? axis);
    return { ...node, inputs: [source], attrs: { permutation } };
  }
  const { shape } = tensorAt(graph, x);
  const moved = node.attrs.permutation.filter((axis) => shape[axis] !== 1);
  if (!moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0))) return node;
  // Only axes of size 1 change places, so no element moves.
  const asReshape = { shape: tensorAt(graph, node.outputs[0] ?? -1).shape };
  return simplified(graph, producers, makeNode("reshape", node.name, node.inputs, node.outputs, asReshape));
}
