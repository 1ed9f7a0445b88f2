// Making a node of the union from an operator's name that is only known as a type parameter.
// Invariant: `attrs` is of `op`'s type, so that the one cast here is sound.

import type { Attributes, Node, OpName } from "./graph.ts";

export function makeNode<K extends OpName>(
  op: K,
  name: string,
  inputs: readonly number[],
  outputs: readonly number[],
  attrs: Attributes[K],
): Node {
  return { op, name, inputs, outputs, attrs } as Node;
}
