// A small float net with all that post-training quantization treats: a convolution, a depthwise one with ReLU6, a pointwise
// one with ReLU, a pool and a matrix product; channels of very different size, as batch norms leave them.

import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { Random } from "./random.ts";

const OPEN = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
const STILL = { stride: [1, 1, 1], dilation: [1, 1, 1], pad: [0, 0, 0], padAfter: [0, 0, 0] } as const;
const SAME = { ...STILL, pad: [0, 1, 1], padAfter: [0, 1, 1] } as const;

export function floatNet(seed: number, channels = 8, top = 6): Graph {
  const random = new Random(seed);
  const tensors: Tensor[] = [];
  const nodes: Node[] = [];
  const add = (name: string, shape: readonly number[], data?: Float32Array): number =>
    tensors.push({ name, shape, dtype: "float32", ...(data && { data }) }) - 1;
  const weights = (name: string, shape: readonly number[], size: number): number => {
    const inner = shape.slice(1).reduce((product, one) => product * one, 1);
    const spread = Array.from({ length: shape[0]! }, () => size * 2 ** random.real(-2, 2));
    const data = Float32Array.from(
      { length: inner * shape[0]! },
      (_, i) => spread[Math.floor(i / inner)]! * (random.real(-1, 1) + random.real(-1, 1)),
    );
    return add(name, shape, data);
  };
  const bias = (name: string, count: number): number =>
    add(
      name,
      [count],
      Float32Array.from({ length: count }, () => random.real(-0.2, 0.4)),
    );
  const x = add("x", [1, 8, 8, 3]);
  const a = add("a", [1, 8, 8, channels]);
  const b = add("b", [1, 8, 8, channels]);
  const c = add("c", [1, 8, 8, channels]);
  const d = add("d", [1, 1, 1, channels]);
  const e = add("e", [1, channels]);
  const y = add("y", [1, 5]);
  const relu = { min: 0, max: Number.POSITIVE_INFINITY };
  nodes.push(
    {
      op: "floatConv",
      name: "first",
      inputs: [x, weights("w1", [channels, 3, 3, 3], 0.3), bias("b1", channels)],
      outputs: [a],
      attrs: { ...SAME, groups: 1, min: 0, max: top },
    },
    {
      op: "floatConv",
      name: "depthwise",
      inputs: [a, weights("w2", [channels, 3, 3, 1], 0.4), bias("b2", channels)],
      outputs: [b],
      attrs: { ...SAME, groups: channels, min: 0, max: top },
    },
    {
      op: "floatConv",
      name: "pointwise",
      inputs: [b, weights("w3", [channels, 1, 1, channels], 0.4), bias("b3", channels)],
      outputs: [c],
      attrs: { ...STILL, groups: 1, ...relu },
    },
    {
      op: "floatPool",
      name: "pool",
      inputs: [c],
      outputs: [d],
      attrs: { ...STILL, kind: "average", kernel: [1, 8, 8], countPad: false, out: [1, 1, 1] },
    },
    { op: "reshape", name: "flat", inputs: [d], outputs: [e], attrs: { shape: [1, channels] } },
    {
      op: "floatMatmul",
      name: "last",
      inputs: [e, weights("w4", [5, channels], 0.5), bias("b4", 5)],
      outputs: [y],
      attrs: { transposeB: true, ...OPEN },
    },
  );
  return { name: "net", tensors, nodes, inputs: [x], outputs: [y] };
}

/** `count` sets of one smooth picture. */
export function pictures(count: number, seed: number): Float32Array[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const base = Array.from({ length: 3 }, () => random.real(-1, 1.5));
    return [Float32Array.from({ length: 192 }, (_, i) => base[i % 3]! + random.real(-0.5, 0.5))];
  });
}
