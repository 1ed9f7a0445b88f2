// A float graph as an int8 one: weights to a grid a channel, activations to one scale a tensor by their ranges, then
// fuseQuantized makes integer operators of all that has an integer form. The rest stays float between.
// Invariant: a layer that `keepFloat` names keeps float weights and runs as float32.

import { fuseQuantized } from "../graph/fuseQuantized.ts";
import { elementCount, type Graph, type Node, type Quantization, type Tensor } from "../graph/graph.ts";
import { runPasses } from "../graph/passes.ts";
import { Rewrite } from "../graph/rewrite.ts";
import type { Range, Ranges } from "./calibrate.ts";
import { fuseAttention } from "./fuseAttention.ts";
import { hasIntegerForm, integerNodes, MOVES } from "./integerNodes.ts";

export interface QuantizeOptions {
  /** names of nodes that stay float32 */
  readonly keepFloat?: (name: string) => boolean;
  /** of an input [batch, rows] of ones and zeros that masks an attention: whether the ones come first; false unless said */
  readonly isPrefix?: (input: number) => boolean;
}

/** A range wider than this is a mask or a fault: what it says is left in float. */
const MOST_MAGNITUDE = 1e6;
/** Tables of at least this many values are worth eight bits. */
const LEAST_TABLE = 4096;

export function quantizeGraph(
  graph: Graph,
  ranges: Ranges,
  { keepFloat = () => false, isPrefix = () => false }: QuantizeOptions = {},
): Graph {
  const rewrite = new Rewrite(graph);
  fuseAttention(rewrite, graph, {
    isPrefix,
    quantization: (id) => {
      const range = ranges.get(id);
      return range && isUsable(range) ? affine(range) : undefined;
    },
  });
  const integer = integerNodes(rewrite.done(), keepFloat);
  for (const node of rewrite.nodes) {
    if (!keepFloat(node.name)) quantizeConstants(rewrite, node);
  }
  const quantized = new Map<number, number>();
  const nodes = rewrite.nodes;
  for (const id of [...graph.inputs, ...nodes.flatMap((node) => node.outputs)]) {
    const producer = rewrite.producer(id);
    const tensor = rewrite.at(id);
    const range = ranges.get(id);
    if (tensor.dtype !== "float32" || !range || !isUsable(range)) continue;
    if (producer && MOVES.has(producer.op) && quantized.has(producer.inputs[0]!)) {
      quantized.set(id, id);
      continue;
    }
    const made = producer !== undefined && integer(producer);
    // a clamp after a sum is the sum's activation: nothing is quantized between them
    const next = rewrite.only(id);
    if (made && producer.op === "zip" && next?.op === "map" && next.attrs.fn === "clip" && integer(next)) continue;
    const readers = rewrite
      .consumers(id)
      .filter((node) => made || integer(node) || leadsToInteger(rewrite, node, integer));
    if (!made && readers.length === 0) continue;
    const quant =
      fixedQuantization(rewrite, made ? producer : undefined) ??
      affine(feedsGelu(rewrite, id) ? aboveTail(range) : range);
    const codes = rewrite.insert("quantize", [id], { ...tensor, dtype: "int8", quant }, {});
    const back = rewrite.insert("dequantize", [codes], tensor, {});
    quantized.set(id, back);
    for (const reader of readers) {
      rewrite.remove(reader);
      rewrite.add({ ...reader, inputs: reader.inputs.map((input) => (input === id ? back : input)) });
    }
  }
  // an output keeps its name: the port is the dequantized tensor
  const outputs = graph.outputs.map((id) => {
    const back = quantized.get(id);
    if (back === undefined || back === id) return id;
    rewrite.tensors[back] = { ...rewrite.tensors[back]!, name: rewrite.at(id).name };
    return back;
  });
  return runPasses(fuseQuantized({ ...rewrite.done(), outputs }));
}

/** What an operator gives by its own rule: a softmax 0 … 255/256, a pool the quantization of its input. */
function fixedQuantization(rewrite: Rewrite, producer: Node | undefined): Quantization | undefined {
  if (producer?.op === "floatSoftmax")
    return { scale: Float32Array.of(1 / 256), zeroPoint: Int32Array.of(-128), axis: 0 };
  if (producer?.op !== "floatPool") return undefined;
  let before = rewrite.producer(producer.inputs[0]);
  while (before && MOVES.has(before.op)) before = rewrite.producer(before.inputs[0]);
  return before?.op === "dequantize" ? rewrite.at(before.inputs[0]!).quant : undefined;
}

/** Below this GELU is as good as 0: −0.004. */
const GELU_TAIL = -3;

const feedsGelu = (rewrite: Rewrite, id: number): boolean => {
  const reader = rewrite.only(id);
  return reader?.op === "map" && (reader.attrs.fn === "gelu" || reader.attrs.fn === "geluTanh");
};

const aboveTail = ({ min, max }: Range): Range => ({ min: Math.max(min, GELU_TAIL), max });

const isUsable = ({ min, max }: Range): boolean =>
  Number.isFinite(min) && Number.isFinite(max) && Math.max(-min, max) < MOST_MAGNITUDE;

/** Whether a move hands its input on to an operator that takes integers. */
function leadsToInteger(rewrite: Rewrite, node: Node, integer: (node: Node) => boolean): boolean {
  if (!MOVES.has(node.op)) return false;
  return node.outputs.some((id) =>
    rewrite.consumers(id).some((reader) => integer(reader) || leadsToInteger(rewrite, reader, integer)),
  );
}

/** int8 over the range, which always holds 0. */
function affine(range: Range): Quantization {
  const [min, max] = [Math.min(range.min, 0), Math.max(range.max, 0)];
  const scale = Math.fround(Math.max(max - min, 1e-8) / 255);
  const zero = Math.max(-128, Math.min(127, Math.round(-128 - min / scale)));
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zero), axis: 0 };
}

/** Weights to int8 a channel, other constants and tables to one scale; they stay float32 tensors that say their grid. */
function quantizeConstants(rewrite: Rewrite, node: Node): void {
  const replace = (index: number, tensor: Tensor): void => {
    const inputs = node.inputs.map((id, i) => (i === index ? rewrite.tensor(tensor) : id));
    rewrite.remove(node);
    rewrite.add({ ...node, inputs } as Node);
  };
  const constantAt = (index: number): Tensor | undefined => {
    const id = node.inputs[index] ?? -1;
    const tensor = id < 0 ? undefined : rewrite.at(id);
    return tensor?.data && tensor.dtype === "float32" && !tensor.quant ? tensor : undefined;
  };
  if (node.op === "floatConv" || node.op === "floatMatmul") {
    const weights = constantAt(1);
    if (!weights || !hasIntegerForm(rewrite, node)) return;
    const axis =
      node.op === "floatConv" || node.attrs.transposeB
        ? weights.shape.length - (node.op === "floatConv" ? weights.shape.length : 2)
        : weights.shape.length - 1;
    replace(1, onGrid(weights, axis));
  } else if (node.op === "zip" && hasIntegerForm(rewrite, node)) {
    for (const index of [0, 1]) {
      const constant = constantAt(index);
      if (constant) {
        replace(index, onGrid(constant, undefined));
        return;
      }
    }
  } else if (node.op === "gather") {
    const table = constantAt(0);
    if (!table || elementCount(table.shape) < LEAST_TABLE) return;
    const { data, quant } = onGrid(table, undefined);
    const codes = Int8Array.from(data as Float32Array, (value) => Math.round(value / quant!.scale[0]!));
    const table8 = rewrite.tensor({ name: table.name, shape: table.shape, dtype: "int8", data: codes, quant: quant! });
    const output = rewrite.at(node.outputs[0]!);
    const rows = rewrite.insert(
      "gather",
      [table8, node.inputs[1]!],
      { ...output, dtype: "int8", quant: quant! },
      node.attrs,
    );
    rewrite.replace([node], "dequantize", [rows], node.outputs, {});
  }
}

/** Symmetric int8: one scale, or one for each index of `axis`. */
function onGrid(tensor: Tensor, axis: number | undefined): Tensor {
  const data = tensor.data as Float32Array;
  const channels = axis === undefined ? 1 : tensor.shape[axis]!;
  const inner = axis === undefined ? data.length : elementCount(tensor.shape.slice(axis + 1));
  const channel = (at: number): number => Math.floor(at / inner) % channels;
  const most = new Float64Array(channels);
  for (let at = 0; at < data.length; at++) most[channel(at)] = Math.max(most[channel(at)]!, Math.abs(data[at]!));
  const scale = Float32Array.from(most, (value) => (value > 0 ? value / 127 : 1));
  const rounded = data.map((value, at) => Math.fround(scale[channel(at)]! * Math.round(value / scale[channel(at)]!)));
  return { ...tensor, data: rounded, quant: { scale, zeroPoint: new Int32Array(channels), axis: axis ?? 0 } };
}
