// Before a float graph is quantized: takes outlier channels to where they do no harm, so that one grid a tensor fits all of
// its channels. The real function stays the same up to float32's rounding.
//
//   float x ─► · 1/s[c] ─► W · s[c] …          what a product reads: a factor a channel moves into its weights
//   … W / t[c] ─► int8 ─► · t[c] ─► float      what it writes where float operators read it
//
// s: Xiao et al., "SmoothQuant", 2023, with strength ½; t is the largest value that calibration saw in the channel.
// Invariant: a graph in which nothing sticks out is given back as it is.

import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { Rewrite } from "../graph/rewrite.ts";
import type { Ranges } from "./calibrate.ts";
import { integerNodes, MOVES } from "./integerNodes.ts";

/** Channels whose largest value is so many times the mean one's stick out. */
const OUTLIER = 3;
/** No channel's factor is below this part of the mean one. */
const LEAST_FACTOR = 0.25;

/** A product with constant weights [inputs, outputs]. */
export type Dense = Node<"floatMatmul">;

export function balanceChannels(graph: Graph, ranges: Ranges, keepFloat: (name: string) => boolean): Graph {
  const integer = integerNodes(graph, keepFloat);
  const rewrite = new Rewrite(graph);
  const extents = (id: number): Float32Array | undefined => ranges.get(id)?.channels;
  let isChanged = false;
  const isDense = (node: Node | undefined): node is Dense => isDenseLayer(rewrite, node) && integer(node);
  for (const node of rewrite.nodes)
    if (isDense(node) && rewrite.has(node)) {
      const most = extents(node.outputs[0]!);
      if (most && hasOutlier(most) && readByFloat(rewrite, node.outputs[0]!, integer)) {
        scaleOutput(rewrite, node, factorsOf(most));
        isChanged = true;
      }
    }
  const sources = new Set(rewrite.nodes.filter(isDense).map(({ inputs }) => inputs[0]!));
  for (const id of sources) {
    const most = extents(id);
    if (!most || !hasOutlier(most) || !isFloatMade(rewrite, id, integer)) continue;
    const readers = rewrite.consumers(id).filter(isDense);
    smooth(rewrite, id, readers, most);
    isChanged = true;
  }
  return isChanged ? rewrite.done() : graph;
}

export function isDenseLayer(rewrite: Rewrite, node: Node | undefined): node is Dense {
  if (node?.op !== "floatMatmul" || node.attrs.transposeB) return false;
  const weights = rewrite.at(node.inputs[1]!);
  return weights.data instanceof Float32Array && weights.shape.length === 2 && !weights.quant;
}

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const hasOutlier = (most: Float32Array): boolean =>
  most.every(Number.isFinite) && Math.max(...most) > OUTLIER * mean(most);

const factorsOf = (most: Float32Array): Float32Array => {
  const least = Math.max(LEAST_FACTOR * mean(most), 1e-6);
  return most.map((value) => Math.max(value, least));
};

function readByFloat(rewrite: Rewrite, id: number, integer: (node: Node) => boolean): boolean {
  const readers = rewrite.consumers(id);
  return (
    !rewrite.isOutput(id) &&
    readers.length > 0 &&
    readers.every((node) =>
      node.op === "reshape"
        ? readByFloat(rewrite, node.outputs[0]!, integer)
        : !MOVES.has(node.op) && !integer(node) && node.op !== "floatSoftmax",
    )
  );
}

function isFloatMade(rewrite: Rewrite, id: number, integer: (node: Node) => boolean): boolean {
  const node = rewrite.producer(id);
  if (!node) return false;
  return node.op === "reshape" ? isFloatMade(rewrite, node.inputs[0]!, integer) : !MOVES.has(node.op) && !integer(node);
}

const vector = (rewrite: Rewrite, name: string, data: Float32Array): number =>
  rewrite.tensor({ name, shape: [data.length], dtype: "float32", data });

/** The weights [inC, outC] with each value changed. */
function changed(
  rewrite: Rewrite,
  weights: Tensor,
  what: string,
  to: (value: number, k: number, n: number) => number,
): number {
  const width = weights.shape[1]!;
  const data = (weights.data as Float32Array).map((value, at) => to(value, Math.floor(at / width), at % width));
  return rewrite.tensor({ ...weights, name: `${weights.name}/${what}`, data });
}

function scaleOutput(rewrite: Rewrite, node: Dense, factors: Float32Array): void {
  const [x, w, b = -1] = node.inputs as [number, number, number?];
  const y = node.outputs[0]!;
  const inputs = [x, changed(rewrite, rewrite.at(w), "balanced", (value, _, n) => value / factors[n]!)];
  if (b >= 0)
    inputs.push(
      vector(
        rewrite,
        `${node.name}/bias`,
        (rewrite.at(b).data as Float32Array).map((value, n) => value / factors[n]!),
      ),
    );
  const scaled = rewrite.tensor({ ...rewrite.at(y), name: `${rewrite.at(y).name}/balanced` });
  rewrite.replace([node], "floatMatmul", inputs, [scaled], node.attrs);
  rewrite.add({
    op: "zip",
    name: `${node.name}/factors`,
    inputs: [scaled, vector(rewrite, `${node.name}/factors`, factors)],
    outputs: [y],
    attrs: { fn: "mul" },
  });
}

function smooth(rewrite: Rewrite, id: number, readers: readonly Dense[], most: Float32Array): void {
  const weights = new Float32Array(most.length);
  for (const { inputs } of readers) {
    const { data, shape } = rewrite.at(inputs[1]!);
    for (let at = 0; at < data!.length; at++) {
      const k = Math.floor(at / shape[1]!);
      weights[k] = Math.max(weights[k]!, Math.abs(Number(data![at])));
    }
  }
  const factors = factorsOf(most).map((value, k) => Math.sqrt(value / Math.max(weights[k]!, 1e-6)));
  const name = rewrite.at(id).name;
  const inverse = vector(
    rewrite,
    `${name}/factors`,
    factors.map((value) => 1 / value),
  );
  const balanced = rewrite.insert("zip", [id, inverse], rewrite.at(id), { fn: "mul" });
  for (const node of readers) {
    const scaled = changed(rewrite, rewrite.at(node.inputs[1]!), "smoothed", (value, k) => value * factors[k]!);
    rewrite.remove(node);
    rewrite.add({ ...node, inputs: [balanced, scaled, ...node.inputs.slice(2)] });
  }
}
