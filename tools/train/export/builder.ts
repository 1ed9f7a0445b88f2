// The int8 graph in the making: tensors with scales from ranges, weights rounded per output channel.
// Invariant: weights are symmetric in −127 … 127; activations affine in −128 … 127 with an exact zero; a bias
// has the scale s_x · s_w of its channel.

import type { Attributes, Graph, Node, OpName, Quantization, Tensor } from "../../graph/graph.ts";
import { roundEven } from "../../ops/quantization.ts";
import type { Range } from "./ranges.ts";

/** A range of nothing but zeros still needs a scale. */
const LEAST_WIDTH = 1e-6;

export function affine({ low, high }: Range): Quantization {
  const scale = Math.fround(Math.max(high - low, LEAST_WIDTH) / 255);
  const zero = Math.min(127, Math.max(-128, Math.round(-128 - low / scale)));
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zero), axis: 0 };
}

/** The range that values of `range` had before any of `shifts` was added to them. */
export function beforeShift({ low, high }: Range, shifts: ArrayLike<number>): Range {
  const all = Array.from(shifts);
  return { low: Math.min(0, low - Math.max(...all)), high: Math.max(0, high - Math.min(...all)) };
}

export const fixedScale = (scale: number, zeroPoint: number): Quantization => ({
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
  axis: 0,
});

export class GraphBuilder {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];

  activation(name: string, shape: readonly number[], quant: Quantization): number {
    return this.tensors.push({ name, shape, dtype: "int8", quant }) - 1;
  }

  /** int8 with one scale an index of `axis`, or one for all */
  weights(name: string, shape: readonly number[], data: ArrayLike<number>, axis?: number): number {
    const channels = axis === undefined ? 1 : shape[axis]!;
    const inner = axis === undefined ? data.length : shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const channelOf = (i: number): number => Math.floor(i / inner) % channels;
    const most = new Float64Array(channels);
    for (let i = 0; i < data.length; i++) most[channelOf(i)] = Math.max(most[channelOf(i)]!, Math.abs(data[i]!));
    const scale = Float32Array.from(most, (largest) => Math.max(largest, LEAST_WIDTH) / 127);
    const rounded = Int8Array.from({ length: data.length }, (_, i) =>
      Math.max(-127, Math.min(127, roundEven(data[i]! / scale[channelOf(i)]!))),
    );
    const quant = { scale, zeroPoint: new Int32Array(channels), axis: axis ?? 0 };
    return this.tensors.push({ name, shape, dtype: "int8", quant, data: rounded }) - 1;
  }

  /** int32 of the scales of `input` and `weights` */
  bias(name: string, data: ArrayLike<number>, inputScale: number, weights: number): number {
    const { scale } = this.tensors[weights]!.quant!;
    const rounded = Int32Array.from({ length: data.length }, (_, c) => {
      const q = roundEven(data[c]! / (inputScale * scale[scale.length === 1 ? 0 : c]!));
      return Math.max(-(2 ** 30), Math.min(2 ** 30, q));
    });
    return this.tensors.push({ name, shape: [data.length], dtype: "int32", data: rounded }) - 1;
  }

  /** A constant operand of add or mul: int8, affine over its own range. */
  constant(name: string, shape: readonly number[], data: ArrayLike<number>): number {
    const values = Array.from(data);
    const quant = affine({ low: Math.min(0, ...values), high: Math.max(0, ...values) });
    const [scale, zero] = [quant.scale[0]!, quant.zeroPoint[0]!];
    const rounded = Int8Array.from(values, (v) => Math.max(-128, Math.min(127, roundEven(v / scale) + zero)));
    return this.tensors.push({ name, shape, dtype: "int8", quant, data: rounded }) - 1;
  }

  scaleOf(tensor: number): number {
    return this.tensors[tensor]!.quant!.scale[0]!;
  }

  node<K extends OpName>(
    op: K,
    name: string,
    inputs: readonly number[],
    outputs: readonly number[],
    attrs: Attributes[K],
  ): void {
    this.nodes.push({ op, name, inputs, outputs, attrs } as unknown as Node);
  }

  graph(name: string, inputs: readonly number[], outputs: readonly number[], edges?: Graph["edges"]): Graph {
    return { name, tensors: this.tensors, nodes: this.nodes, inputs, outputs, ...(edges && { edges }) };
  }
}
