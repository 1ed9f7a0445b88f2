// Which channels of a graph live and die together. A channel is born as an output of a conv2d or fullyConnected and
// passes through depthwise convolutions, pools, means, look-ups; an addition joins the channels it adds, a concat lays
// them behind one another, a flattening repeats them. What cannot be followed keeps its channels.
// Invariant: `channels` of a tensor has one entry for every index of its last axis; entries with the same root are removed
// together or not at all.

import type { Graph, Node, Tensor } from "../graph/graph.ts";

export class ChannelMap {
  /** tensor → the channel at each index of its last axis */
  readonly channels = new Map<number, readonly number[]>();
  readonly #parents: number[] = [];
  readonly #fixed = new Set<number>();

  constructor(graph: Graph) {
    const { tensors } = graph;
    for (const id of [...graph.inputs, ...(graph.states ?? []).map(({ input }) => input)]) this.#give(id, tensors[id]!);
    for (const node of graph.nodes) this.#follow(node, tensors);
    for (const id of [...graph.inputs, ...graph.outputs]) this.#fix(id);
    for (const { input, output } of graph.states ?? []) for (const id of [input, output]) this.#fix(id);
  }

  root(channel: number): number {
    let at = channel;
    while (this.#parents[at] !== at) at = this.#parents[at]!;
    this.#parents[channel] = at;
    return at;
  }

  /** The roots that may go. */
  freeRoots(): ReadonlySet<number> {
    const fixed = new Set([...this.#fixed].map((channel) => this.root(channel)));
    return new Set(this.#parents.map((_, channel) => this.root(channel)).filter((root) => !fixed.has(root)));
  }

  /** The channel at each input of one output of a fullyConnected, which may read several pixels as one row. */
  inputsOf(x: number, inputs: number): readonly number[] | undefined {
    const channels = this.channels.get(x);
    if (!channels || inputs % channels.length !== 0) return undefined;
    return Array.from({ length: inputs }, (_, i) => channels[i % channels.length]!);
  }

  #new(count: number): number[] {
    return Array.from({ length: count }, () => this.#parents.push(this.#parents.length) - 1);
  }

  #give(id: number, { shape }: Tensor): void {
    this.channels.set(id, this.#new(shape.at(-1) ?? 1));
  }

  #fix(id: number): void {
    for (const channel of this.channels.get(id) ?? []) this.#fixed.add(channel);
  }

  #join(a: readonly number[], b: readonly number[]): void {
    for (const [i, channel] of a.entries()) this.#parents[this.root(b[i]!)] = this.root(channel);
  }

  /** Outputs get new channels that stay, as do the inputs' own. */
  #stop(node: Node, tensors: readonly Tensor[]): void {
    for (const id of node.inputs) this.#fix(id);
    for (const id of node.outputs) {
      this.#give(id, tensors[id]!);
      this.#fix(id);
    }
  }

  #follow(node: Node, tensors: readonly Tensor[]): void {
    const [x, w] = node.inputs as [number, number?];
    const [y] = node.outputs as [number];
    const own = this.channels.get(x);
    const last = tensors[y]!.shape.at(-1) ?? 1;
    const isConstant = (id: number | undefined): boolean => id !== undefined && tensors[id]?.data !== undefined;
    const through = (channels: readonly number[] | undefined): void => {
      if (channels?.length === last) this.channels.set(y, channels);
      else this.#stop(node, tensors);
    };
    switch (node.op) {
      case "conv2d":
        if (isConstant(w)) this.#give(y, tensors[y]!);
        else this.#stop(node, tensors);
        return;
      case "fullyConnected": {
        const [outC, inC] = tensors[w!]!.shape as [number, number];
        if (isConstant(w) && last === outC && this.inputsOf(x, inC)) this.#give(y, tensors[y]!);
        else this.#stop(node, tensors);
        return;
      }
      case "depthwiseConv2d": {
        const { multiplier } = node.attrs;
        if (isConstant(w)) through(own?.flatMap((channel) => Array<number>(multiplier).fill(channel)));
        else this.#stop(node, tensors);
        return;
      }
      case "averagePool2d":
      case "maxPool2d":
      case "clamp":
      case "leakyRelu":
      case "hardSwish":
      case "logistic":
      case "tanh":
      case "rsqrt":
      case "resizeNearest":
      case "resizeBilinear":
      case "quantize":
      case "dequantize":
      case "requantize":
        through(own);
        return;
      case "mean":
        through(node.attrs.axes.includes(tensors[x]!.shape.length - 1) ? undefined : own);
        return;
      case "pad":
        through(node.attrs.paddings.at(-1)!.every((count) => count === 0) ? own : undefined);
        return;
      case "reshape":
        through(flattened(own, tensors[x]!.shape, tensors[y]!.shape));
        return;
      case "add":
      case "sub":
      case "mul":
      case "squaredDifference":
        this.#binary(node, tensors);
        return;
      case "concat":
        this.#concat(node, tensors);
        return;
      default:
        this.#stop(node, tensors);
    }
  }

  /** Channels meet one to one; a constant has none of its own, and one value for all may be constant only. */
  #binary(node: Node, tensors: readonly Tensor[]): void {
    const [y] = node.outputs as [number];
    const last = tensors[y]!.shape.at(-1) ?? 1;
    const computed = node.inputs.filter((id) => tensors[id]!.data === undefined);
    const lists = computed.map((id) => this.channels.get(id)!);
    const [first] = lists;
    if (!first || lists.some((channels) => channels.length !== last)) {
      this.#stop(node, tensors);
      return;
    }
    for (const channels of lists.slice(1)) this.#join(first, channels);
    this.channels.set(y, first);
  }

  #concat(node: Node<"concat">, tensors: readonly Tensor[]): void {
    const [y] = node.outputs as [number];
    const lists = node.inputs.map((id) => this.channels.get(id));
    if (lists.some((channels) => channels === undefined)) {
      this.#stop(node, tensors);
      return;
    }
    if (node.attrs.axis === tensors[y]!.shape.length - 1) {
      this.channels.set(
        y,
        lists.flatMap((channels) => [...channels!]),
      );
      return;
    }
    for (const channels of lists.slice(1)) this.#join(lists[0]!, channels!);
    this.channels.set(y, lists[0]!);
  }
}

/** The channels of a reshaped tensor's last axis, where that is the old one, or old axes flattened into one. */
function flattened(
  channels: readonly number[] | undefined,
  from: readonly number[],
  to: readonly number[],
): readonly number[] | undefined {
  const last = to.at(-1) ?? 1;
  let product = 1;
  for (const size of [...from].reverse()) {
    product *= size;
    if (product === last && channels) return Array.from({ length: last }, (_, i) => channels[i % channels.length]!);
    if (product > last) return undefined;
  }
  return undefined;
}
