// Channel pruning: removes whole channels, the filters that make them and the inputs that read them, so that the graph
// is a smaller one of plain layers. Li et al., "Pruning Filters for Efficient ConvNets", 2017: by the filters' magnitudes.
// Invariant: a pure function; channels that are joined (channelMap.ts) go together; every axis keeps at least one.

import { ToolError } from "../errors.ts";
import { removeDeadCode } from "../graph/deadCode.ts";
import type { Graph, Node, Quantization, Tensor, TensorData } from "../graph/graph.ts";
import { ChannelMap } from "./channelMap.ts";

export interface ChannelPruning {
  /** part of each layer's channels to keep, above 0 and at most 1: one for all layers, or one by layer name */
  readonly keep: number | ((layer: string) => number);
  /** channels kept are a multiple of this, as the kernels' blocks are; 8 when left out */
  readonly multiple?: number;
}

/** The graph without its least channels. Biases stay as they are: what a removed channel added on average is lost. */
export function pruneChannels(graph: Graph, { keep, multiple = 8 }: ChannelPruning): Graph {
  refuseGroups(graph);
  const map = new ChannelMap(graph);
  const free = map.freeRoots();
  const gone = new Set<number>();
  for (const { roots, layers } of coupled(graph, map, free)) {
    const parts = layers.map((name) => (typeof keep === "number" ? keep : keep(name)));
    const bad = parts.find((part) => !(part > 0 && part <= 1));
    if (bad !== undefined) {
      throw new ToolError(
        "USAGE",
        `${layers[0]}: the part of channels to keep is ${bad}, expected above 0 and at most 1.`,
      );
    }
    // joined layers keep what the one that is to keep most does
    const wanted = Math.max(...parts) * roots.size;
    const count = Math.min(roots.size, Math.max(1, Math.ceil(wanted / multiple)) * multiple);
    const order = [...roots].sort(([a, x], [b, y]) => y - x || a - b);
    for (const [root] of order.slice(count)) gone.add(root);
  }
  return removeChannels(graph, map, gone);
}

interface Coupled {
  /** channel → its score */
  readonly roots: ReadonlyMap<number, number>;
  readonly layers: readonly string[];
}

/** Layers whose outputs share channels, with each channel's score: its filters' magnitudes, each over the mean of its layer. */
function coupled(graph: Graph, map: ChannelMap, free: ReadonlySet<number>): Coupled[] {
  const sets: { roots: Map<number, number>; layers: string[] }[] = [];
  const setOf = new Map<number, (typeof sets)[number]>();
  for (const node of graph.nodes) {
    if (node.op !== "conv2d" && node.op !== "fullyConnected") continue;
    const weights = graph.tensors[node.inputs[1]!]!;
    const own = (map.channels.get(node.outputs[0]!) ?? []).map((channel) => map.root(channel));
    if (!weights.data || own.length !== weights.shape[0] || !own.every((root) => free.has(root))) continue;
    const norms = filterNorms(weights);
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length || 1;
    const met = [...new Set(own.flatMap((root) => setOf.get(root) ?? []))];
    const set = met[0] ?? { roots: new Map<number, number>(), layers: [] };
    if (met.length === 0) sets.push(set);
    for (const other of met.slice(1)) {
      for (const [root, score] of other.roots) set.roots.set(root, score);
      set.layers.push(...other.layers);
      sets.splice(sets.indexOf(other), 1);
    }
    set.layers.push(node.name);
    for (const [n, root] of own.entries()) set.roots.set(root, (set.roots.get(root) ?? 0) + norms[n]! / mean);
    for (const root of set.roots.keys()) setOf.set(root, set);
  }
  return sets;
}

function filterNorms({ data, quant, shape }: Tensor): number[] {
  const each = data!.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, n) => {
    let sum = 0;
    for (let i = n * each; i < (n + 1) * each; i++) {
      const at = quant!.scale.length === 1 ? 0 : Math.floor((i * quant!.scale.length) / data!.length);
      sum += (quant!.scale[at]! * (Number(data![i]) - quant!.zeroPoint[at]!)) ** 2;
    }
    return Math.sqrt(sum);
  });
}

/** The graph without the channels whose root is in `gone`. */
function removeChannels(graph: Graph, map: ChannelMap, gone: ReadonlySet<number>): Graph {
  const tensors = graph.tensors.map((tensor, id): Tensor => {
    const kept = keptOf(map.channels.get(id), map, gone);
    return kept && !tensor.data ? { ...tensor, shape: [...tensor.shape.slice(0, -1), kept.length] } : tensor;
  });
  const put = (id: number, axis: number, kept: readonly number[] | undefined): number => {
    if (!kept) return id;
    return tensors.push(slice(tensors[id]!, axis, kept)) - 1;
  };
  const nodes = graph.nodes.map((node): Node => {
    const [x, w, b = -1] = node.inputs as [number, number, number?];
    const kept = keptOf(map.channels.get(node.outputs[0]!), map, gone);
    const inputs = [...node.inputs];
    switch (node.op) {
      case "conv2d":
      case "fullyConnected": {
        const rank = tensors[w]!.shape.length;
        const read = node.op === "conv2d" ? map.channels.get(x) : map.inputsOf(x, tensors[w]!.shape[1]!);
        inputs[1] = put(put(w, rank - 1, keptOf(read, map, gone)), 0, kept);
        if (b >= 0) inputs[2] = put(b, 0, kept);
        break;
      }
      case "depthwiseConv2d":
        inputs[1] = put(w, 3, kept);
        if (b >= 0) inputs[2] = put(b, 0, kept);
        break;
      case "add":
      case "sub":
      case "mul":
      case "squaredDifference":
        for (const [i, id] of node.inputs.entries()) {
          const { data, shape } = tensors[id]!;
          const last = graph.tensors[node.outputs[0]!]!.shape.at(-1);
          if (data && shape.length > 0 && shape.at(-1) === last && last !== 1)
            inputs[i] = put(id, shape.length - 1, kept);
        }
        break;
      case "reshape": {
        const { shape } = tensors[node.outputs[0]!]!;
        return { ...node, attrs: { ...node.attrs, shape } };
      }
    }
    return { ...node, inputs } as Node;
  });
  return removeDeadCode({ ...graph, tensors, nodes });
}

/** Indices that stay; undefined where all do. */
function keptOf(
  channels: readonly number[] | undefined,
  map: ChannelMap,
  gone: ReadonlySet<number>,
): readonly number[] | undefined {
  if (!channels?.some((channel) => gone.has(map.root(channel)))) return undefined;
  return [...channels.keys()].filter((i) => !gone.has(map.root(channels[i]!)));
}

/** `tensor` with the given indices of one axis only. */
function slice(tensor: Tensor, axis: number, kept: readonly number[]): Tensor {
  const { shape, data } = tensor;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const size = shape[axis]!;
  const Kind = data!.constructor as new (count: number) => TensorData;
  const out = new Kind(outer * kept.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, from] of kept.entries()) {
      const start = (o * size + from) * inner;
      out.set(data!.subarray(start, start + inner) as never, (o * kept.length + i) * inner);
    }
  }
  const quant = tensor.quant && sliceQuant(tensor.quant, axis, size, kept);
  return { ...tensor, shape: shape.with(axis, kept.length), data: out, ...(quant && { quant }) };
}

/** Weights with a scale for every so many inputs cannot be sliced across them. */
function refuseGroups(graph: Graph): void {
  for (const { name, inputs } of graph.nodes) {
    const size = graph.tensors[inputs[1] ?? -1]?.quant?.groupSize;
    if (size === undefined) continue;
    throw new ToolError(
      "UNSUPPORTED",
      `${name}: its weights have a scale for every ${size} inputs, expected one a channel; remove channels before rounding weights to groups.`,
    );
  }
}

function sliceQuant(quant: Quantization, axis: number, size: number, kept: readonly number[]): Quantization {
  if (quant.scale.length === 1 || quant.axis !== axis || quant.scale.length !== size) return quant;
  return {
    ...quant,
    scale: Float32Array.from(kept, (i) => quant.scale[i]!),
    zeroPoint: Int32Array.from(kept, (i) => quant.zeroPoint[i]!),
  };
}
