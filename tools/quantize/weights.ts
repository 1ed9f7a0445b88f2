// Gives the layers of an integer graph other weights: fewer bits, groups with scales of their own, a codebook. Works on
// the real values of the weights that are there; activations stay as they are. Biases keep their real value at the new
// scale. Invariant: a pure function; what no rule changes keeps its very tensors.

import { ToolError } from "../errors.ts";
import type { Coding, Graph, Node, Tensor } from "../graph/graph.ts";
import { groupsFit, groupsOf, rowCells } from "../ops/coding.ts";
import { roundEven } from "../ops/quantization.ts";
import { pruneLayer } from "../prune/groups.ts";
import { codebook, nearest } from "./codebook.ts";
import { type Compensation, compensated, compensation } from "./compensate.ts";
import { type Layer, outputsOf, realWeights, rows, weightedLayers } from "./layers.ts";
import type { Moments } from "./moments.ts";
import type { LayerWeights } from "./precision.ts";
import { type Rounded, roundToGrid, roundToSigns } from "./rounding.ts";
import { choose, type Rules } from "./rules.ts";

/** Ternary: below so much of the mean magnitude a weight is 0. Li & Liu, "Ternary Weight Networks", 2016, section 2.3. */
const TERNARY_THRESHOLD = 0.7;

/** What is known of layers beyond their integers. */
export interface Evidence {
  /** real weights by layer name, in the order of the layer's integers: of the float net that the integers come from */
  readonly reals?: ReadonlyMap<string, Float64Array>;
  /** by layer name, how its inputs vary together: where they are known, errors are compensated and weighed by them */
  readonly moments?: ReadonlyMap<string, Moments>;
}

/** The graph with the weights that `rules` ask for. Throws BAD_INPUT for a rule without a layer, UNSUPPORTED where a layer cannot have them. */
export function recodeWeights(graph: Graph, rules: Rules, evidence: Evidence = {}): Graph {
  const layers = weightedLayers(graph);
  const chosen = choose(
    rules,
    layers.map(({ name }) => name),
  );
  const tensors = [...graph.tensors];
  const nodes = graph.nodes.map((node): Node => {
    const wanted = chosen.get(node.name);
    if (wanted === undefined || !layers.includes(node as Layer)) return node;
    const [x, w, b = -1] = node.inputs as [number, number, number?];
    const before = tensors[w]!;
    const pruned = prune(node as Layer, before, wanted.zeros);
    if (wanted.kind === "keep") {
      return pruned === before ? node : ({ ...node, inputs: node.inputs.with(1, tensors.push(pruned) - 1) } as Node);
    }
    const after = recode(node as Layer, pruned, wanted, pruned === before ? evidence : {});
    const inputs = [x, tensors.push(after) - 1];
    if (b >= 0) inputs.push(tensors.push(rescaledBias(node.name, tensors[b]!, before, after)) - 1);
    return { ...node, inputs };
  });
  return { ...graph, tensors, nodes };
}

/** A depthwise convolution has no groups of inputs to leave out, so its weights stay. */
function prune(node: Layer, weights: Tensor, zeros: number | undefined): Tensor {
  return zeros === undefined || node.op === "depthwiseConv2d" ? weights : pruneLayer(node, weights, zeros);
}

/** Runs of weights that share a scale, as lists of indices into the tensor, channel by channel. */
function runs(node: Layer, weights: Tensor, groupSize: number | undefined): number[][] {
  return rows(node, weights).flatMap((own) => {
    if (groupSize === undefined) return [own];
    const row = rowCells(weights);
    const groups: number[][] = [];
    for (let at = 0; at < own.length; at += row) {
      for (let k = 0; k < row; k += groupSize) groups.push(own.slice(at + k, at + Math.min(row, k + groupSize)));
    }
    return groups;
  });
}

/** Other layers get a scale a channel. */
function takesGroups(node: Layer, weights: Tensor, size: number): boolean {
  if (node.op === "depthwiseConv2d") return false;
  if (node.op === "fullyConnected") return groupsFit(weights, size, true, 1);
  const { strideH, strideW, dilationW, padding } = node.attrs;
  const still = strideH * strideW === 1 && padding.top + padding.bottom + padding.left + padding.right === 0;
  return groupsFit(weights, size, still && weights.shape[1]! * weights.shape[2]! === 1, dilationW);
}

function recode(node: Layer, weights: Tensor, wanted: LayerWeights, evidence: Evidence): Tensor {
  if (weights.quant!.groupSize !== undefined) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node.name}: its weights have a scale for every ${weights.quant!.groupSize} inputs already, expected one a channel; choose "keep" for it.`,
    );
  }
  const reals = evidence.reals?.get(node.name) ?? realWeights(node, weights);
  const size = wanted.kind === "int4" ? wanted.groupSize : undefined;
  const groupSize = size !== undefined && takesGroups(node, weights, size) ? size : undefined;
  const parts = runs(node, weights, groupSize);
  const channels = outputsOf(node, weights);
  const own = parts.map((indices) => Float64Array.from(indices, (i) => reals[i]!));
  const known = evidence.moments?.get(node.name);
  const outputs = rows(node, weights);
  const importance = known && importanceOf(known, outputs, reals.length);
  const counts = parts.map((indices) => importance && Float64Array.from(indices, (i) => importance[i]!));
  // the grid of one scale for all, which a channel may happen to lie on better than on any of its own
  const grid = wanted.kind === "codebook" ? undefined : roundTo(reals, wanted, scaleOf(weights, 0), importance);
  const rounded =
    wanted.kind === "codebook"
      ? byCodebook(own, wanted.bits, counts)
      : own.map((part, p) =>
          roundTo(part, wanted, scaleOf(weights, Math.floor((p * channels) / parts.length)), counts[p], grid),
        );
  const data = new Int8Array(reals.length);
  for (const [p, indices] of parts.entries()) {
    for (const [i, index] of indices.entries()) data[index] = rounded[p]!.values[i]!;
  }
  if (known) compensate(data, reals, { outputs, parts, rounded, wanted, known });
  const coding: Coding | undefined = codingOf(wanted);
  const { coding: _, ...rest } = weights;
  return {
    ...rest,
    dtype: "int8",
    data,
    quant: {
      scale: Float32Array.from(rounded, ({ scale }) => scale),
      zeroPoint: Int32Array.from(rounded, ({ zeroPoint }) => zeroPoint),
      axis: node.op === "depthwiseConv2d" ? 3 : 0,
      ...(groupSize !== undefined && { groupSize }),
    },
    ...(coding && { coding }),
  };
}

/** Of each weight, how much its squared error counts: the mean square of what it is multiplied by. */
function importanceOf(known: Moments, outputs: readonly (readonly number[])[], count: number): Float64Array {
  const importance = new Float64Array(count);
  for (const [n, places] of outputs.entries()) {
    const matrix = known.of(n);
    // a cell that was always 0 counts a little, or its weights would be free
    const least = 1e-6 * matrix[0]! + 1e-12;
    for (const [i, place] of places.entries()) importance[place] = Math.max(least, matrix[i * known.size + i]!);
  }
  return importance;
}

/** Rounds anew with compensation, on the grids that `rounded` found. */
function compensate(
  data: Int8Array,
  reals: Float64Array,
  {
    outputs,
    parts,
    rounded,
    wanted,
    known,
  }: {
    readonly outputs: readonly (readonly number[])[];
    readonly parts: readonly (readonly number[])[];
    readonly rounded: readonly Rounded[];
    readonly wanted: LayerWeights;
    readonly known: Moments;
  },
): void {
  const { kind } = wanted;
  if (kind === "binary" || kind === "ternary" || kind === "keep") return;
  const [low, high] = kind === "int4" ? [-8, 7] : kind === "int7" ? [-63, 63] : [-127, 127];
  const entries = kind === "codebook" ? Int8Array.from(new Set(data)) : undefined;
  const partOf = new Int32Array(data.length);
  for (const [p, places] of parts.entries()) for (const place of places) partOf[place] = p;
  const prepared = new Map<Float64Array, Compensation>();
  for (const [n, places] of outputs.entries()) {
    const matrix = known.of(n);
    const made = prepared.get(matrix) ?? compensation(matrix, known.size);
    prepared.set(matrix, made);
    const at = (cell: number): Rounded => rounded[partOf[places[cell]!]!]!;
    const codes = compensated(
      Float64Array.from(places, (place) => reals[place]!),
      made,
      (value, cell) => {
        const { scale, zeroPoint } = at(cell);
        if (entries) return nearest(entries, value / scale);
        return Math.min(high!, Math.max(low!, roundEven(value / scale) + zeroPoint));
      },
      (code, cell) => at(cell).scale * (code - at(cell).zeroPoint),
    );
    for (const [i, place] of places.entries()) data[place] = codes[i]!;
  }
}

/** What the packer could store in fewer bits; int7 it knows by the values. */
function codingOf({ kind }: LayerWeights): Coding | undefined {
  return kind === "keep" || kind === "int8" || kind === "int7" ? undefined : kind;
}

function scaleOf({ quant }: Tensor, channel: number): number {
  return quant!.scale[quant!.scale.length === 1 ? 0 : channel]!;
}

/** `idle`: the scale where all are zero, which only the bias will feel. */
function roundTo(
  reals: Float64Array,
  wanted: LayerWeights,
  idle: number,
  importance?: Float64Array,
  also?: Rounded,
): Rounded {
  switch (wanted.kind) {
    case "int4":
      return roundToGrid(reals, -8, 7, wanted.asymmetric, idle, importance, also);
    case "binary":
      return roundToSigns(reals, 0, idle);
    case "ternary":
      return roundToSigns(reals, TERNARY_THRESHOLD, idle);
    case "int7":
      return roundToGrid(reals, -63, 63, false, idle, importance, also);
    default:
      return roundToGrid(reals, -127, 127, false, idle, importance, also);
  }
}

/** One codebook for all channels, each with its own scale. */
function byCodebook(
  channels: readonly Float64Array[],
  bits: number,
  importance: readonly (Float64Array | undefined)[],
): Rounded[] {
  const most = 2 ** (bits - 1) - 1;
  const tops = channels.map((reals) => reals.reduce((top, real) => Math.max(top, Math.abs(real)), 0) || 1);
  const parts = Float64Array.from(channels.flatMap((reals, c) => [...reals].map((real) => real / tops[c]!)));
  const counts = Float64Array.from(
    channels.flatMap((reals, c) => [...reals].map((_, i) => tops[c]! ** 2 * (importance[c]?.[i] ?? 1))),
  );
  const entries = codebook(parts, counts, most);
  return channels.map((reals, c) => {
    const scale = Math.fround(tops[c]! / most);
    return { scale, zeroPoint: 0, values: Int8Array.from(reals, (real) => nearest(entries, real / scale)) };
  });
}

/** The bias at the scale of the new weights: of each channel's first group. */
function rescaledBias(node: string, bias: Tensor, before: Tensor, after: Tensor): Tensor {
  const data = Int32Array.from(bias.data as Int32Array, (q, n) => {
    const from = scaleOf(before, n);
    const { scale, groupSize } = after.quant!;
    const groups = groupSize === undefined ? 1 : groupsOf(after, groupSize);
    const moved = roundEven((Number(q) * from) / scale[n * groups]!);
    if (Math.abs(moved) >= 2 ** 31) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: the bias of channel ${n} becomes ${moved} at the new weights' scale, which does not fit in int32; choose int8 or "keep" for this layer.`,
      );
    }
    return moved;
  });
  return { ...bias, data };
}
