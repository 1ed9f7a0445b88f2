// Joins dequantize → float operator → quantize to the operator's integer form, first moving both through what only
// moves elements. What has no integer form stays float between its dequantize and quantize.
// Invariant: an operator becomes an integer one only where its constants lie exactly on the grid that they say.

import { ToolError } from "../errors.ts";
import { operatorFor } from "../ops/registry.ts";
import type { Attributes, Graph, Node, OpName, Tensor } from "./graph.ts";
import { integerForm } from "./integerForms.ts";
import { makeNode } from "./node.ts";
import { Rewrite } from "./rewrite.ts";
import { sameQuantization } from "./uses.ts";

const MOVES: ReadonlySet<OpName> = new Set<OpName>(["reshape", "transpose", "stridedSlice", "gather", "split"]);

export function fuseQuantized(graph: Graph): Graph {
  const rewrite = new Rewrite(graph);
  for (const node of rewrite.nodes) if (rewrite.has(node)) sink(rewrite, node);
  for (const node of rewrite.nodes) if (rewrite.has(node) && node.op === "quantize") raise(rewrite, node);
  for (const node of rewrite.nodes) if (rewrite.has(node) && node.op === "quantize") join(rewrite, node);
  return rewrite.done();
}

/** dequantize → move becomes move → dequantize, so that the integers are moved. */
function sink(rewrite: Rewrite, node: Node): void {
  const before = rewrite.producer(node.inputs[0]);
  if (!MOVES.has(node.op) || before?.op !== "dequantize") return;
  const source = before.inputs[0]!;
  const { quant, dtype } = rewrite.at(source);
  if (quant?.scale.length !== 1) return;
  const moved = node.outputs.map((id) =>
    rewrite.tensor({ ...rewrite.at(id), name: `${rewrite.at(id).name}/integers`, dtype, quant }),
  );
  rewrite.remove(node);
  rewrite.add(
    makeNode(node.op, node.name, [source, ...node.inputs.slice(1)], moved, node.attrs as Attributes[typeof node.op]),
  );
  for (const [i, id] of node.outputs.entries())
    rewrite.add(makeNode("dequantize", `${node.name}/dequantize${i}`, [moved[i]!], [id], {}));
  for (const id of node.outputs) for (const reader of rewrite.consumers(id)) sink(rewrite, reader);
}

/** move → quantize becomes quantize → move, where nothing else reads what lies between. */
function raise(rewrite: Rewrite, quantize: Node): void {
  const [x, y] = [quantize.inputs[0]!, quantize.outputs[0]!];
  const move = rewrite.producer(x);
  if (!move || (move.op !== "reshape" && move.op !== "transpose") || rewrite.only(x) !== quantize) return;
  const source = move.inputs[0]!;
  if (rewrite.at(source).data) return;
  const { quant, dtype } = rewrite.at(y);
  const early = rewrite.tensor({
    ...rewrite.at(source),
    name: `${rewrite.at(y).name}/early`,
    dtype,
    ...(quant && { quant }),
  });
  rewrite.remove(move);
  rewrite.remove(quantize);
  rewrite.add(makeNode(move.op, move.name, [early], [y], move.attrs as Attributes[typeof move.op]));
  const raised = makeNode("quantize", quantize.name, [source], [early], {});
  rewrite.add(raised);
  raise(rewrite, raised);
}

function join(rewrite: Rewrite, quantize: Node): void {
  const [x, y] = [quantize.inputs[0]!, quantize.outputs[0]!];
  const node = rewrite.producer(x);
  if (!node) return;
  if (node.op === "dequantize") {
    const source = node.inputs[0]!;
    const same =
      rewrite.at(source).dtype === rewrite.at(y).dtype &&
      sameQuantization(rewrite.at(source).quant, rewrite.at(y).quant);
    if (same) rewrite.replace([quantize], "reshape", [source], [y], { shape: rewrite.at(y).shape });
    else tryReplace(rewrite, [quantize], "requantize", [source], [y], {});
    return;
  }
  // another reader of the real values keeps the float operator beside the integer one
  const alone = rewrite.only(x) === quantize;
  const form = integerForm(rewrite, node, y);
  if (form) tryReplace(rewrite, alone ? [node, quantize] : [quantize], form.op, form.inputs, [y], form.attrs);
}

/** Replaces the nodes where the new one's operator accepts its tensors (as int8: uint8 becomes that later). */
function tryReplace<K extends OpName>(
  rewrite: Rewrite,
  old: readonly Node[],
  op: K,
  inputs: readonly number[],
  outputs: readonly number[],
  attrs: Attributes[K],
): void {
  const asInt8 = (id: number): Tensor | undefined => {
    if (id < 0) return undefined;
    const tensor = rewrite.at(id);
    return tensor.dtype === "uint8" ? { ...tensor, dtype: "int8" } : tensor;
  };
  try {
    const written = outputs.map((id) => asInt8(id)!);
    const types = operatorFor(op).check(
      makeNode(op, old[0]!.name, inputs, outputs, attrs) as Node<K>,
      inputs.map(asInt8),
      written,
    );
    if (types.some(({ shape, dtype }, i) => shape.join() !== written[i]!.shape.join() || dtype !== written[i]!.dtype))
      return;
  } catch (error) {
    if (error instanceof ToolError) return;
    throw error;
  }
  rewrite.replace(old, op, inputs, outputs, attrs, old[0]!.name);
}
