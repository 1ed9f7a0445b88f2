// A graph that a pass is changing: who writes and who reads each tensor, kept right while nodes come and go.
// Invariant: `graph` is never changed; `done` gives a new one, nodes in an order in which every input is written first.

import type { Attributes, Graph, Node, OpName, Tensor } from "./graph.ts";
import { makeNode } from "./node.ts";

export class Rewrite {
  readonly tensors: Tensor[];
  readonly #graph: Graph;
  readonly #nodes: Set<Node>;
  readonly #producers = new Map<number, Node>();
  readonly #consumers = new Map<number, Set<Node>>();
  readonly #outputs: ReadonlySet<number>;
  #fresh = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.tensors = [...graph.tensors];
    this.#nodes = new Set();
    this.#outputs = new Set(graph.outputs);
    for (const node of graph.nodes) this.add(node);
  }

  get nodes(): Node[] {
    return [...this.#nodes];
  }

  has(node: Node): boolean {
    return this.#nodes.has(node);
  }

  add(node: Node): void {
    this.#nodes.add(node);
    for (const id of node.outputs) this.#producers.set(id, node);
    for (const id of node.inputs) {
      const readers = this.#consumers.get(id) ?? new Set();
      readers.add(node);
      this.#consumers.set(id, readers);
    }
  }

  remove(node: Node): void {
    this.#nodes.delete(node);
    for (const id of node.outputs) if (this.#producers.get(id) === node) this.#producers.delete(id);
    for (const id of node.inputs) this.#consumers.get(id)?.delete(node);
  }

  /** A node in place of others. */
  replace<K extends OpName>(
    old: readonly Node[],
    op: K,
    inputs: readonly number[],
    outputs: readonly number[],
    attrs: Attributes[K],
    name = old[0]!.name,
  ): void {
    for (const node of old) this.remove(node);
    this.add(makeNode(op, name, inputs, outputs, attrs));
  }

  /** A new node before others: `name` is made unique. */
  insert<K extends OpName>(op: K, inputs: readonly number[], output: Tensor, attrs: Attributes[K]): number {
    const id = this.tensor({ ...output, name: `${output.name}/${op}${this.#fresh++}` });
    this.add(makeNode(op, this.tensors[id]!.name, inputs, [id], attrs));
    return id;
  }

  tensor(tensor: Tensor): number {
    return this.tensors.push(tensor) - 1;
  }

  at(id: number): Tensor {
    return this.tensors[id]!;
  }

  producer(id: number | undefined): Node | undefined {
    return id === undefined ? undefined : this.#producers.get(id);
  }

  consumers(id: number): Node[] {
    return [...(this.#consumers.get(id) ?? [])];
  }

  isOutput(id: number): boolean {
    return this.#outputs.has(id);
  }

  /** The one reader of a tensor that is no output, or undefined. */
  only(id: number): Node | undefined {
    const readers = this.consumers(id);
    return readers.length === 1 && !this.#outputs.has(id) ? readers[0] : undefined;
  }

  done(): Graph {
    const ordered: Node[] = [];
    const state = new Map<Node, boolean>();
    const stack: Node[] = [];
    for (const first of this.#nodes) {
      stack.push(first);
      while (stack.length > 0) {
        const node = stack.at(-1)!;
        if (state.get(node)) stack.pop();
        else if (state.has(node)) {
          state.set(node, true);
          ordered.push(node);
          stack.pop();
        } else {
          state.set(node, false);
          for (const id of node.inputs) {
            const before = this.#producers.get(id);
            if (before && !state.has(before)) stack.push(before);
          }
        }
      }
    }
    return { ...this.#graph, tensors: this.tensors, nodes: ordered };
  }
}
