// Which nodes of a float graph run in integers once it is quantized: products whose weights are constant or whose factors
// are both at hand, and what lies between them. What only stands among float operators (the sums and norms around a
// transformer's layers) stays float, since a grid of eight bits would cost accuracy there and buy nothing.
// Invariant: of a kept node nothing is quantized; the answer depends on the graph alone.

import type { Graph, Node, OpName } from "../graph/graph.ts";
import { Rewrite } from "../graph/rewrite.ts";

const PRODUCTS: ReadonlySet<OpName> = new Set<OpName>(["floatConv", "floatMatmul"]);
/** Operators between products with an integer form. */
const BETWEEN: ReadonlySet<OpName> = new Set<OpName>(["zip", "floatPool", "map", "reduce", "floatSoftmax", "concat"]);
/** Operators that only move elements: integers pass through. */
export const MOVES: ReadonlySet<OpName> = new Set<OpName>([
  "reshape",
  "transpose",
  "stridedSlice",
  "split",
  "gather",
  "pad",
]);

/** By what a node writes, which no pass changes. `keepFloat`: names of nodes that stay float. */
export function integerNodes(graph: Graph, keepFloat: (name: string) => boolean): (node: Node) => boolean {
  const rewrite = new Rewrite(graph);
  const chosen = new Set<Node>();
  const integers = (id: number): boolean => {
    const producer = rewrite.producer(id);
    if (!producer) return graph.inputs.includes(id);
    if (MOVES.has(producer.op)) return integers(producer.inputs[0]!);
    return chosen.has(producer) || producer.op === "dequantize";
  };
  for (const node of rewrite.nodes) {
    if (keepFloat(node.name) || !hasIntegerForm(rewrite, node)) continue;
    const given = node.inputs.filter((id) => id >= 0 && !rewrite.at(id).data);
    if (PRODUCTS.has(node.op) || given.every(integers)) chosen.add(node);
  }
  // a product gives integers to whatever reads it, anything else only to readers that take them
  const isRead = (id: number): boolean =>
    rewrite.isOutput(id) ||
    rewrite.consumers(id).some((reader) => (MOVES.has(reader.op) ? reader.outputs.some(isRead) : chosen.has(reader)));
  for (const node of rewrite.nodes.reverse())
    if (BETWEEN.has(node.op) && !node.outputs.some(isRead)) chosen.delete(node);
  const written = new Set([...chosen].map(({ outputs }) => outputs[0]));
  return (node) => written.has(node.outputs[0]);
}

export function hasIntegerForm(rewrite: Rewrite, node: Node): boolean {
  if (!PRODUCTS.has(node.op) && !BETWEEN.has(node.op)) return false;
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (rewrite.at(x).dtype !== "float32" || rewrite.at(y).dtype !== "float32") return false;
  switch (node.op) {
    case "zip":
      return ["add", "sub", "mul"].includes(node.attrs.fn);
    case "reduce":
      return node.attrs.fn === "mean";
    case "floatSoftmax":
      return !node.attrs.log;
    case "floatConv":
      return (
        rewrite.at(x).shape.length === 4 && (node.attrs.groups === 1 || rewrite.at(node.inputs[1]!).shape[3] === 1)
      );
    case "floatPool":
      return rewrite.at(x).shape.length === 4 && node.attrs.kind !== "argMax";
    default:
      return true;
  }
}
