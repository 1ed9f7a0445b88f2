// Random float32 graphs of one node for the tests of the float operators.
// Invariant: values are finite, so that no NaN's bits are compared; the same seed gives the same graph.

import { elementCount, type Graph, type Node, type Tensor } from "../../tools/graph/graph.ts";
import { expectConformance } from "./conformance.ts";
import { constant, singleNode } from "./graphs.ts";
import { Random } from "./random.ts";

export const plain = (name: string, shape: readonly number[], dtype: "float32" | "int32" = "float32"): Tensor => ({
  name,
  shape,
  dtype,
});

/** Float32 values in −range … range, some of them 0 and whole. */
export function reals(count: number, seed: number, range = 4): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => {
    const kind = random.integer(0, 9);
    return kind === 0 ? 0 : kind === 1 ? random.integer(-3, 3) : random.real(-range, range);
  });
}

export function integers(count: number, seed: number, least = -50, most = 50): Int32Array {
  const random = new Random(seed);
  return Int32Array.from({ length: count }, () => random.integer(least, most));
}

export const weights = (name: string, shape: readonly number[], seed: number): Tensor =>
  constant(name, shape, "float32", reals(elementCount(shape), seed, 1));

/** One node whose inputs without data get random values; every build must give the reference's bytes. Returns the outputs. */
export function conforms(
  node: Pick<Node, "op" | "attrs">,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
  seed: number,
  range = 4,
) {
  const graph: Graph = singleNode(node, inputs, outputs);
  const data = graph.inputs.map((id, i) => {
    const { shape, dtype } = graph.tensors[id]!;
    const count = elementCount(shape);
    return dtype === "int32" ? integers(count, seed + i) : reals(count, seed + i, range);
  });
  return { outputs: expectConformance(graph, data), data };
}
