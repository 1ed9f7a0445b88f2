// Who writes and who reads each tensor of a graph: what every pass asks first.
// Invariant: read-only views of one graph; a pass that changes the graph asks again.

import type { Graph, Node, Quantization, Tensor } from "./graph.ts";

export class Uses {
  readonly #inputs: ReadonlySet<number>;
  readonly #outputs: ReadonlySet<number>;
  readonly #producers = new Map<number, Node>();
  readonly #consumers = new Map<number, Node[]>();

  constructor(graph: Graph) {
    this.#inputs = new Set([...graph.inputs, ...(graph.states ?? []).map(({ input }) => input)]);
    this.#outputs = new Set([...graph.outputs, ...(graph.states ?? []).map(({ output }) => output)]);
    for (const node of graph.nodes) {
      for (const id of node.outputs) this.#producers.set(id, node);
      for (const id of new Set(node.inputs)) {
        if (id < 0) continue;
        const nodes = this.#consumers.get(id);
        if (nodes === undefined) this.#consumers.set(id, [node]);
        else nodes.push(node);
      }
    }
  }

  producer(id: number): Node | undefined {
    return this.#producers.get(id);
  }

  consumers(id: number): readonly Node[] {
    return this.#consumers.get(id) ?? [];
  }

  isOutput(id: number): boolean {
    return this.#outputs.has(id);
  }

  isPort(id: number): boolean {
    return this.#inputs.has(id) || this.#outputs.has(id);
  }

  /** True when `node` alone sees the tensor, so that it may vanish with it. */
  onlyReader(id: number, node: Node): boolean {
    return !this.isPort(id) && this.consumers(id).length === 1 && this.consumers(id)[0] === node;
  }
}

export function tensorAt(graph: Graph, id: number): Tensor {
  const tensor = graph.tensors[id];
  if (tensor === undefined) throw new Error(`the graph has no tensor ${id}`);
  return tensor;
}

/** Whether both read the same integer as the same real number. */
export function sameQuantization(a: Quantization | undefined, b: Quantization | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.scale.length !== b.scale.length || (a.scale.length > 1 && a.axis !== b.axis)) return false;
  return a.scale.every((scale, i) => scale === b.scale[i] && a.zeroPoint[i] === b.zeroPoint[i]);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Whether the same bytes mean the same in both. */
export function sameType(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape) && sameQuantization(a.quant, b.quant);
}

/** The node with some of its tensors replaced. */
export function rename(node: Node, ids: ReadonlyMap<number, number>): Node {
  const renamed = (list: readonly number[]): number[] => list.map((id) => ids.get(id) ?? id);
  return { ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) };
}
