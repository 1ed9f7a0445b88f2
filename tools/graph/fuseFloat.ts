// Joins float nodes: factors and sums a channel into the convolution or product before them (batch norm, bias), a
// clamp into its bounds, and the six nodes that GELU is written as into one.
// Invariant: the same real function; roundings differ, as the folded weights are rounded once.

import { elementCount, type Graph, type Node, type Tensor } from "./graph.ts";
import { Rewrite } from "./rewrite.ts";

type Product = Node<"floatConv"> | Node<"floatMatmul">;

export function fuseFloat(graph: Graph): Graph {
  const rewrite = new Rewrite(graph);
  for (const node of rewrite.nodes)
    if (rewrite.has(node) && node.op === "map" && node.attrs.fn === "erf") fuseGelu(rewrite, node);
  for (const node of rewrite.nodes) if (node.op === "floatConv" || node.op === "floatMatmul") absorb(rewrite, node);
  return rewrite.done();
}

const isProduct = (node: Node | undefined): node is Product => node?.op === "floatConv" || node?.op === "floatMatmul";

function absorb(rewrite: Rewrite, first: Product): void {
  let node: Product = first;
  for (;;) {
    const next = rewrite.only(node.outputs[0]!);
    const joined = next && (foldChannel(rewrite, node, next) ?? foldClamp(rewrite, node, next));
    if (!joined) return;
    const { op, inputs, outputs, attrs, name } = joined;
    rewrite.replace([node, next], op, inputs, outputs, attrs as never, name);
    const fresh = rewrite.producer(outputs[0]);
    if (!isProduct(fresh)) return;
    node = fresh;
  }
}

/** Output channels of the product, and whether its weights have them as their last axis. */
function channelsOf(rewrite: Rewrite, node: Product): { count: number; isLast: boolean } | undefined {
  const weights = rewrite.at(node.inputs[1]!);
  if (!weights.data || weights.dtype !== "float32") return undefined;
  if (node.op === "floatConv") return { count: weights.shape[0]!, isLast: false };
  if (elementCount(weights.shape.slice(0, -2)) !== 1) return undefined;
  return node.attrs.transposeB
    ? { count: weights.shape.at(-2)!, isLast: false }
    : { count: weights.shape.at(-1)!, isLast: true };
}

function foldChannel(rewrite: Rewrite, node: Product, next: Node): Product | undefined {
  if (next.op !== "zip" && !(next.op === "map" && next.attrs.fn === "affine")) return undefined;
  const channels = channelsOf(rewrite, node);
  if (!channels || node.attrs.min !== Number.NEGATIVE_INFINITY || node.attrs.max !== Number.POSITIVE_INFINITY)
    return undefined;
  const y = rewrite.at(node.outputs[0]!);
  const { count } = channels;
  if (next.op === "map") {
    const { a, b } = next.attrs;
    return b === 0 ? scaled(rewrite, node, next, channels, new Float32Array(count).fill(a)) : undefined;
  }
  const other = next.inputs[0] === node.outputs[0] ? next.inputs[1]! : next.inputs[0]!;
  const tensor = rewrite.at(other);
  if (other === node.outputs[0] || !tensor.data || rewrite.at(next.outputs[0]!).shape.length !== y.shape.length)
    return undefined;
  const alongLast = tensor.shape.length <= y.shape.length && tensor.shape.slice(0, -1).every((size) => size === 1);
  if (!(elementCount(tensor.shape) === 1 || (alongLast && tensor.shape.at(-1) === count))) return undefined;
  const data = tensor.data as Float32Array;
  const values = Float32Array.from({ length: count }, (_, c) => data[data.length === 1 ? 0 : c]!);
  const isFirst = next.inputs[0] === node.outputs[0];
  switch (next.attrs.fn) {
    case "add":
      return withBias(rewrite, node, next, values);
    case "sub":
      return isFirst
        ? withBias(
            rewrite,
            node,
            next,
            values.map((value) => -value),
          )
        : undefined;
    case "mul":
      return scaled(rewrite, node, next, channels, values);
    case "div":
      return isFirst
        ? scaled(
            rewrite,
            node,
            next,
            channels,
            values.map((value) => 1 / value),
          )
        : undefined;
    default:
      return undefined;
  }
}

function biasOf(rewrite: Rewrite, node: Product, count: number): Float32Array {
  const id = node.inputs[2] ?? -1;
  return id < 0 ? new Float32Array(count) : (rewrite.at(id).data as Float32Array);
}

function constant(rewrite: Rewrite, name: string, shape: readonly number[], data: Float32Array): number {
  return rewrite.tensor({ name, shape, dtype: "float32", data });
}

function withBias(rewrite: Rewrite, node: Product, next: Node, added: Float32Array): Product {
  const bias = biasOf(rewrite, node, added.length).map((value, c) => value + added[c]!);
  const id = constant(rewrite, `${node.name}/bias`, [added.length], bias);
  return { ...node, inputs: [node.inputs[0]!, node.inputs[1]!, id], outputs: next.outputs };
}

/** Scaled weights keep lying on a grid where each channel has a scale of its own or the factor is one for all. */
function scaled(
  rewrite: Rewrite,
  node: Product,
  next: Node,
  { count, isLast }: { count: number; isLast: boolean },
  factors: Float32Array,
): Product | undefined {
  const weights = rewrite.at(node.inputs[1]!);
  if (weights.quant) return undefined;
  const data = weights.data as Float32Array;
  const each = data.length / count;
  const channel = (at: number): number => (isLast ? at % count : Math.floor(at / each));
  const tensor: Tensor = {
    ...weights,
    name: `${weights.name}/scaled`,
    data: data.map((value, at) => value * factors[channel(at)]!),
  };
  const inputs = [node.inputs[0]!, rewrite.tensor(tensor)];
  if ((node.inputs[2] ?? -1) >= 0) {
    const bias = biasOf(rewrite, node, count).map((value, c) => value * factors[c]!);
    inputs.push(constant(rewrite, `${node.name}/bias`, [count], bias));
  }
  return { ...node, inputs, outputs: next.outputs };
}

function foldClamp(rewrite: Rewrite, node: Product, next: Node): Product | undefined {
  if (next.op !== "map" || next.attrs.fn !== "clip" || rewrite.at(node.outputs[0]!).dtype !== "float32")
    return undefined;
  const [min, max] = [Math.max(node.attrs.min, next.attrs.a), Math.min(node.attrs.max, next.attrs.b)];
  if (min > max) return undefined;
  return { ...node, outputs: next.outputs, attrs: { ...node.attrs, min, max } } as Product;
}

/** The constant among a zip's inputs, as a number. */
function numberIn(rewrite: Rewrite, node: Node, other: number): number | undefined {
  const id = node.inputs[0] === other ? node.inputs[1] : node.inputs[0];
  const data = id === undefined ? undefined : rewrite.at(id).data;
  return data?.length === 1 ? Number(data[0]) : undefined;
}

const near = (value: number | undefined, expected: number): boolean =>
  value !== undefined && Math.abs(value - expected) < 1e-3;

/** x · ½ · (1 + erf(x / √2)), in the orders in which exporters write it. */
function fuseGelu(rewrite: Rewrite, erf: Node): void {
  const inner = rewrite.producer(erf.inputs[0]);
  const [y] = erf.outputs;
  if (!inner || rewrite.only(inner.outputs[0]!) !== erf) return;
  const x = inner.inputs.find((id) => !rewrite.at(id).data);
  if (x === undefined) return;
  const factor = inner.op === "zip" ? numberIn(rewrite, inner, x) : undefined;
  const isScaled =
    (inner.op === "zip" && inner.attrs.fn === "div" && near(factor, Math.SQRT2)) ||
    (inner.op === "zip" && inner.attrs.fn === "mul" && near(factor, Math.SQRT1_2)) ||
    (inner.op === "map" && inner.attrs.fn === "affine" && near(inner.attrs.a, Math.SQRT1_2) && inner.attrs.b === 0);
  const plusOne = rewrite.only(y!);
  if (!isScaled || plusOne?.op !== "zip" || plusOne.attrs.fn !== "add" || !near(numberIn(rewrite, plusOne, y!), 1))
    return;
  const first = rewrite.only(plusOne.outputs[0]!);
  if (first?.op !== "zip" || first.attrs.fn !== "mul") return;
  const sum = plusOne.outputs[0]!;
  const other = first.inputs[0] === sum ? first.inputs[1]! : first.inputs[0]!;
  const gone = [inner, erf, plusOne, first];
  let last: Node = first;
  if (other === x || near(numberIn(rewrite, first, sum), 0.5)) {
    // (x · (1 + erf)) · ½, or ((1 + erf) · ½) · x
    const second = rewrite.only(first.outputs[0]!);
    if (second?.op !== "zip" || second.attrs.fn !== "mul") return;
    const rest = second.inputs[0] === first.outputs[0] ? second.inputs[1]! : second.inputs[0]!;
    if (other === x ? !near(numberIn(rewrite, second, first.outputs[0]!), 0.5) : rest !== x) return;
    gone.push(second);
    last = second;
  } else {
    // (½ · x) · (1 + erf)
    const half = rewrite.producer(other);
    if (
      half?.op !== "zip" ||
      half.attrs.fn !== "mul" ||
      !half.inputs.includes(x) ||
      !near(numberIn(rewrite, half, x), 0.5)
    )
      return;
    if (rewrite.only(other) !== first) return;
    gone.push(half);
  }
  rewrite.replace(gone, "map", [x], last.outputs, { fn: "gelu", a: 0, b: 0 }, last.name);
}
