// Cross-layer equalization: of two layers one after the other, each channel between them is scaled so that the weights that make
// it and those that read it have ranges of one size. Source: Nagel et al., "Data-free quantization through weight equalization
// and bias correction", 2019, section 4.1. A positive factor passes through ReLU, but not through a bound above: a channel
// of a ReLU6 that reached its bound in calibration is left alone, and the others grow no further than the bound.
// Invariant: factors are powers of two, so the float net gives the very same numbers on all inputs that reach no bound they
// did not reach in calibration.

import { watch } from "../evaluate/layerInputs.ts";
import type { Graph, Node, Tensor, TensorData } from "../graph/graph.ts";
import { Rewrite } from "../graph/rewrite.ts";

type Product = Node<"floatConv"> | Node<"floatMatmul">;

interface Pair {
  readonly first: string;
  readonly second: string;
  readonly between: number;
}

/** Each pass moves what is left one layer further. */
const PASSES = 4;

/** `inputs`: as for calibration; they are run only where a layer has a bound above. */
export function equalize(graph: Graph, inputs: readonly (readonly TensorData[])[]): Graph {
  const rewrite = new Rewrite(graph);
  const pairs = graph.nodes.flatMap((node): Pair[] => {
    const next = isProduct(node) ? rewrite.only(node.outputs[0]!) : undefined;
    if (!isProduct(node) || !isProduct(next) || next.inputs[0] !== node.outputs[0]) return [];
    const scales = node.attrs.min === 0 || node.attrs.min === Number.NEGATIVE_INFINITY;
    const constants = [node, next].every((one) => isPlain(rewrite, one));
    return scales && constants ? [{ first: node.name, second: next.name, between: node.outputs[0]! }] : [];
  });
  const named = (name: string): Product => rewrite.nodes.find((node) => node.name === name) as Product;
  const bounded = pairs.filter(({ first }) => Number.isFinite(named(first).attrs.max));
  const tops = channelTops(
    graph,
    bounded.map(({ between }) => between),
    inputs,
  );
  for (let pass = 0; pass < PASSES; pass++) {
    for (const { first, second, between } of pairs) scalePair(rewrite, named(first), named(second), tops.get(between));
  }
  return rewrite.done();
}

const isProduct = (node: Node | undefined): node is Product => node?.op === "floatConv" || node?.op === "floatMatmul";

function isPlain(rewrite: Rewrite, node: Product): boolean {
  const weights = rewrite.at(node.inputs[1]!);
  const bias = (node.inputs[2] ?? -1) < 0 ? undefined : rewrite.at(node.inputs[2]!);
  return (
    weights.data !== undefined &&
    !weights.quant &&
    (node.op === "floatConv" || weights.shape.length === 2) &&
    (bias === undefined || bias.data !== undefined)
  );
}

/** The largest value of each channel (the last axis) of the tensors `ids`; changed as channels are scaled. */
function channelTops(
  graph: Graph,
  ids: readonly number[],
  inputs: readonly (readonly TensorData[])[],
): Map<number, Float64Array> {
  const tops = new Map<number, Float64Array>();
  if (ids.length === 0) return tops;
  watch(graph, ids, inputs, (id, real) => {
    const channels = graph.tensors[id]!.shape.at(-1)!;
    const top = tops.get(id) ?? new Float64Array(channels);
    tops.set(id, top);
    for (let i = 0; i < real.length; i++) top[i % channels] = Math.max(top[i % channels]!, real[i]!);
  });
  return tops;
}

/** Of each weight the channel that it makes. */
function madeBy(node: Product, { shape, data }: Tensor): (at: number) => number {
  if (node.op === "floatMatmul" && !node.attrs.transposeB) return (at) => at % shape[1]!;
  const each = data!.length / shape[0]!;
  return (at) => Math.floor(at / each);
}

/** Of each weight the channel that it reads. */
function readBy(node: Product, { shape, data }: Tensor): (at: number) => number {
  if (node.op === "floatMatmul") {
    return node.attrs.transposeB ? (at) => at % shape[1]! : (at) => Math.floor(at / shape[1]!);
  }
  const perGroup = shape.at(-1)!;
  const each = data!.length / shape[0]!;
  const outputsPerGroup = shape[0]! / node.attrs.groups;
  return (at) => Math.floor(Math.floor(at / each) / outputsPerGroup) * perGroup + (at % perGroup);
}

function largest(data: Float32Array, channel: (at: number) => number, count: number): Float64Array {
  const most = new Float64Array(count);
  for (let at = 0; at < data.length; at++) {
    const c = channel(at);
    most[c] = Math.max(most[c]!, Math.abs(data[at]!));
  }
  return most;
}

function scalePair(rewrite: Rewrite, first: Product, second: Product, tops: Float64Array | undefined): void {
  const [w1, w2] = [rewrite.at(first.inputs[1]!), rewrite.at(second.inputs[1]!)];
  const [made, read] = [madeBy(first, w1), readBy(second, w2)];
  const count = rewrite.at(first.outputs[0]!).shape.at(-1)!;
  const [a, b] = [w1.data as Float32Array, w2.data as Float32Array];
  const [ranges1, ranges2] = [largest(a, made, count), largest(b, read, count)];
  const bound = first.attrs.max;
  const factors = Float64Array.from({ length: count }, (_, c) => {
    if (!(ranges1[c]! > 0 && ranges2[c]! > 0)) return 1;
    // what the channel is divided by: √(r1 · r2) / r2
    const factor = 2 ** Math.round(Math.log2(ranges1[c]! / ranges2[c]!) / 2);
    const top = tops?.[c];
    if (top === undefined || !Number.isFinite(bound)) return factor;
    return top >= bound || top / factor >= bound ? 1 : factor;
  });
  if (factors.every((factor) => factor === 1)) return;
  for (const [c, factor] of factors.entries()) if (tops) tops[c]! /= factor;
  const bias = first.inputs[2] ?? -1;
  const inputs1 = [first.inputs[0]!, rewrite.tensor({ ...w1, data: a.map((value, at) => value / factors[made(at)]!) })];
  if (bias >= 0) {
    const { data, ...rest } = rewrite.at(bias);
    const scaled = Float32Array.from(factors, (factor, c) => Number(data![data!.length === 1 ? 0 : c]) / factor);
    inputs1.push(rewrite.tensor({ ...rest, shape: [count], data: scaled }));
  }
  const inputs2 = second.inputs.with(
    1,
    rewrite.tensor({ ...w2, data: b.map((value, at) => value * factors[read(at)]!) }),
  );
  rewrite.remove(first);
  rewrite.remove(second);
  rewrite.add({ ...first, inputs: inputs1 } as Node);
  rewrite.add({ ...second, inputs: inputs2 } as Node);
}
