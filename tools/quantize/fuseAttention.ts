// Softmax(scale · q kᵀ + mask) v, written as products, moves and a softmax, becomes the integer attention of the core, whose
// scores are exact and need no grid of their own.
//
//   q, k, v [batch, rows, heads · width] ─ reshape, transpose ─► q kᵀ ─► · scale ─► + mask? ─► softmax ─► · v ─ transpose, reshape ─►
//
// Invariant: only where nothing between is read elsewhere, and the mask, if there is one, hides keys at the end only.

import { evaluate } from "../evaluate/reference.ts";
import { elementCount, type Graph, type Node, type Quantization, zeros } from "../graph/graph.ts";
import type { Rewrite } from "../graph/rewrite.ts";

/** Rows of a transpose before q kᵀ or after the product with v. */
const HEADS_FIRST = "0,2,1,3";
const HEADS_FIRST_TURNED = "0,2,3,1";
/** What is added to a hidden score takes its weight to nothing. */
const HIDDEN = -1000;

export interface AttentionOptions {
  /** the grid of a tensor that becomes int8; undefined where it has none */
  quantization(id: number): Quantization | undefined;
  /** of a mask that a graph's input gives [batch, rows], 1 for what counts: whether the ones come first in every row */
  isPrefix(input: number): boolean;
}

export function fuseAttention(rewrite: Rewrite, graph: Graph, options: AttentionOptions): void {
  for (const node of rewrite.nodes)
    if (node.op === "floatSoftmax" && !node.attrs.log && rewrite.has(node)) fuseOne(rewrite, graph, node, options);
}

function fuseOne(rewrite: Rewrite, graph: Graph, softmax: Node<"floatSoftmax">, options: AttentionOptions): void {
  let scale = 1;
  let mask: number | undefined;
  let scores = rewrite.producer(softmax.inputs[0]);
  const single = (node: Node): boolean => rewrite.only(node.outputs[0]!) !== undefined;
  const first = scores;
  if (first?.op === "zip" && first.attrs.fn === "add") {
    const isScores = (id: number): boolean =>
      rewrite.at(id).shape.join() === rewrite.at(first.outputs[0]!).shape.join();
    const at = first.inputs.findIndex((id) => !isScores(id));
    if (at < 0) return;
    mask = first.inputs[at]!;
    scores = rewrite.producer(first.inputs[1 - at]);
  }
  const factor = scores && factorOf(rewrite, scores);
  if (scores && factor) {
    if (!single(scores)) return;
    scale = factor.value;
    scores = rewrite.producer(factor.input);
  }
  if (scores?.op !== "floatMatmul" || !single(scores) || (first && !single(first))) return;
  const [q, k] = [
    headsOf(rewrite, scores.inputs[0]!, HEADS_FIRST),
    headsOf(rewrite, scores.inputs[1]!, scores.attrs.transposeB ? HEADS_FIRST : HEADS_FIRST_TURNED),
  ];
  const sum = rewrite.only(softmax.outputs[0]!);
  if (!q || !k || sum?.op !== "floatMatmul" || sum.inputs[0] !== softmax.outputs[0] || sum.attrs.transposeB) return;
  const v = headsOf(rewrite, sum.inputs[1]!, HEADS_FIRST);
  const back = rewrite.only(sum.outputs[0]!);
  if (!v || back?.op !== "transpose" || back.attrs.permutation.join() !== HEADS_FIRST) return;
  const joined = rewrite.only(back.outputs[0]!);
  if (joined?.op !== "reshape" || !(scale > 0) || k.heads !== v.heads || q.heads !== k.heads) return;
  const y = joined.outputs[0]!;
  if (rewrite.at(y).shape.join() !== rewrite.at(q.id).shape.join()) return;
  const quants = [q.id, k.id, v.id, y].map((id) => options.quantization(id));
  if (quants.some((quant) => quant === undefined)) return;
  const input = mask === undefined ? undefined : maskInput(rewrite, graph, mask, rewrite.at(k.id).shape);
  if (mask !== undefined && (input === undefined || !options.isPrefix(input))) return;
  const codes = [q, k, v].map(({ id }, i) =>
    rewrite.insert("quantize", [id], { ...rewrite.at(id), dtype: "int8", quant: quants[i]! }, {}),
  );
  if (input !== undefined) codes.push(countsOf(rewrite, input));
  const attended = rewrite.insert(
    "attention",
    codes,
    { ...rewrite.at(y), dtype: "int8", quant: quants[3]! },
    { heads: q.heads, keyHeads: k.heads, scale, causal: false, counted: "first" },
  );
  rewrite.replace([softmax, sum, back, joined], "dequantize", [attended], [y], {}, softmax.name);
}

/** A product with a constant number. */
function factorOf(rewrite: Rewrite, node: Node): { value: number; input: number } | undefined {
  if (node.op === "map" && node.attrs.fn === "affine" && node.attrs.b === 0)
    return { value: node.attrs.a, input: node.inputs[0]! };
  if (node.op !== "zip" || (node.attrs.fn !== "mul" && node.attrs.fn !== "div")) return undefined;
  const at = node.inputs.findIndex((id) => rewrite.at(id).data?.length === 1);
  if (at < 0 || (at === 0 && node.attrs.fn === "div")) return undefined;
  const constant = Number(rewrite.at(node.inputs[at]!).data![0]);
  return { value: node.attrs.fn === "mul" ? constant : 1 / constant, input: node.inputs[1 - at]! };
}

/** The tensor [batch, rows, heads · width] behind [batch, heads, rows, width]. */
function headsOf(rewrite: Rewrite, id: number, permutation: string): { id: number; heads: number } | undefined {
  const turn = rewrite.producer(id);
  if (turn?.op !== "transpose" || turn.attrs.permutation.join() !== permutation) return undefined;
  const split = rewrite.producer(turn.inputs[0]);
  if (split?.op !== "reshape" || split.attrs.shape.length !== 4) return undefined;
  const [batch, rows, heads, width] = split.attrs.shape as [number, number, number, number];
  const source = split.inputs[0]!;
  return rewrite.at(source).shape.join() === [batch, rows, heads * width].join() ? { id: source, heads } : undefined;
}

/** The graph's input [batch, rows] of which the mask is made, where ones leave a score as it is and zeros hide it. */
function maskInput(rewrite: Rewrite, graph: Graph, mask: number, [batch, rows]: readonly number[]): number | undefined {
  const nodes: Node[] = [];
  let id = mask;
  for (let node = rewrite.producer(id); node; node = rewrite.producer(id)) {
    nodes.unshift(node);
    const given = node.inputs.filter((input) => !rewrite.at(input).data);
    if (given.length !== 1) return undefined;
    id = given[0]!;
  }
  const { dtype, shape } = rewrite.at(id);
  if (!graph.inputs.includes(id) || shape.join() !== [batch, rows].join()) return undefined;
  const chain = { ...graph, tensors: rewrite.tensors, nodes, inputs: [id], outputs: [mask] };
  const added = (value: number): number[] =>
    Array.from(evaluate(chain, [zeros(dtype, elementCount(shape)).fill(value as never)])[0]!, Number);
  return added(1).every((value) => value === 0) && added(0).every((value) => value <= HIDDEN) ? id : undefined;
}

/** How many rows of each batch the mask leaves. */
function countsOf(rewrite: Rewrite, input: number): number {
  const mask = rewrite.at(input);
  const int =
    mask.dtype === "int32"
      ? input
      : rewrite.insert(
          "map",
          [input],
          { name: mask.name, shape: mask.shape, dtype: "int32" },
          { fn: "toInt", a: 0, b: 0 },
        );
  return rewrite.insert(
    "reduce",
    [int],
    { name: mask.name, shape: mask.shape.slice(0, 1), dtype: "int32" },
    { fn: "sum", axes: [1], keepDims: false },
  );
}
