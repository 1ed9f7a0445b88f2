// From a net over a whole window of time to one that takes a few new rows a run and keeps the rest: convolutions without
// padding in time run on the new rows and on as many old ones as their kernels reach back; recurrent layers keep their
// state; what looks at the whole window (a padded convolution, a mean, a dense layer) gets it from a ring of its input.
//
//   window of T rows, n new:   ┤ state: the last rows ├┤ new rows ├   concat ─► the layer
//                                   ▲────────────────────── its end is the next run's state
//
// Invariant: once the window is full of the stream's rows, a net of convolutions gives what the whole-window net gives
// for that window, byte for byte. Time is axis 1 of everything until a layer looks at the whole window.

import { ToolError } from "../errors.ts";
import { removeDeadCode } from "./deadCode.ts";
import type { Graph, Node, State, Tensor } from "./graph.ts";
import { makeNode } from "./node.ts";

/** A tensor of which only the `rows` newest rows exist. */
interface Flow {
  readonly id: number;
  readonly rows: number;
}

/** Thrown inside: the layer needs `rows` to be a multiple of this. */
class Uneven {
  constructor(readonly factor: number) {}
}

const POINTWISE = new Set([
  "add",
  "sub",
  "mul",
  "squaredDifference",
  "clamp",
  "leakyRelu",
  "hardSwish",
  "logistic",
  "tanh",
  "gelu",
  "silu",
  "requantize",
  "layerNorm",
  "rmsNorm",
]);

/** The graph that takes `rows` new rows of time a run, or the fewest that its strides allow. */
export function streamGraph(graph: Graph, rows?: number): Graph {
  const [input = -1, ...others] = graph.inputs;
  const shape = graph.tensors[input]?.shape ?? [];
  if (others.length > 0 || shape.length < 2 || shape[0] !== 1 || (graph.states?.length ?? 0) > 0) {
    throw new ToolError(
      "BAD_GRAPH",
      `a stream is made of a net with one input of shape [1, time, …] and no state of its own, got ${graph.inputs.length} of shape [${shape}].`,
    );
  }
  let count = rows ?? 1;
  for (;;) {
    if (count > shape[1]!) {
      throw new ToolError(
        "BAD_GRAPH",
        `a run of ${count} new rows is longer than the window of ${shape[1]}; give fewer.`,
      );
    }
    try {
      return new Streamer(graph, count).graph();
    } catch (uneven) {
      if (!(uneven instanceof Uneven)) throw uneven;
      if (rows !== undefined) {
        throw new ToolError(
          "BAD_GRAPH",
          `${rows} new rows a run do not fit the net's strides: it must be a multiple of ${uneven.factor}.`,
        );
      }
      count *= uneven.factor;
    }
  }
}

class Streamer {
  readonly #source: Graph;
  readonly #tensors: Tensor[];
  readonly #nodes: Node[] = [];
  readonly #states: State[] = [];
  readonly #flows = new Map<number, Flow>();
  readonly #whole = new Set<number>();

  constructor(source: Graph, rows: number) {
    this.#source = source;
    this.#tensors = [...source.tensors];
    const [input] = source.inputs as [number];
    this.#flows.set(input, { id: this.#add(input, rows, ""), rows });
  }

  graph(): Graph {
    const [input] = this.#source.inputs as [number];
    for (const node of this.#source.nodes) if (!this.#streamed(node)) this.#nodes.push(this.#overWindow(node));
    for (const id of this.#source.outputs) if (this.#flows.has(id)) this.#window(id);
    const port = this.#flows.get(input)!.id;
    const edges = new Map([...(this.#source.edges ?? [])].map(([id, dtype]) => [id === input ? port : id, dtype]));
    // the whole window keeps its bytes, the stream takes its name
    this.#tensors[input] = { ...this.#tensors[input]!, name: `${this.#tensors[input]!.name}/window` };
    return removeDeadCode({
      ...this.#source,
      tensors: this.#tensors,
      nodes: this.#nodes,
      inputs: [port],
      states: this.#states,
      edges,
    });
  }

  /** Tensor `like` with another number of rows. */
  #add(like: number, rows: number, suffix: string): number {
    const { name, shape, data: _, ...rest } = this.#tensors[like]!;
    return this.#tensors.push({ ...rest, name: `${name}${suffix}`, shape: [shape[0]!, rows, ...shape.slice(2)] }) - 1;
  }

  /** The last `needed` rows of the stream so far, kept from run to run; the first `used` of them as a tensor. */
  #behind(id: number, { id: fresh, rows }: Flow, needed: number, used: number, into?: number): number {
    const kept = needed - rows;
    if (kept === 0 && into === undefined && used === needed) return fresh;
    const name = `${this.#tensors[id]!.name}/ring`;
    let all = fresh;
    if (kept > 0) {
      const before = this.#add(id, kept, "/ring");
      const after = this.#add(id, kept, "/ring next");
      all = into !== undefined && used === needed ? into : this.#add(id, needed, "/ring and new");
      this.#nodes.push(makeNode("concat", name, [before, fresh], [all], { axis: 1, activation: "none" }));
      this.#slice(`${name} shift`, all, after, rows, kept);
      this.#states.push({ input: before, output: after });
    }
    if (used === needed) return all;
    const part = this.#add(id, used, "/ring used");
    this.#slice(`${name} used`, all, part, 0, used);
    return part;
  }

  #slice(name: string, from: number, to: number, begin: number, count: number): void {
    const { shape } = this.#tensors[from]!;
    this.#nodes.push(
      makeNode("stridedSlice", name, [from], [to], {
        begin: shape.map((_, axis) => (axis === 1 ? begin : 0)),
        strides: shape.map(() => 1),
        sizes: shape.map((size, axis) => (axis === 1 ? count : size)),
        squeeze: [],
      }),
    );
  }

  /** Makes the whole window of a streamed tensor, once, under its own id. */
  #window(id: number): void {
    const flow = this.#flows.get(id)!;
    if (this.#whole.has(id)) return;
    this.#whole.add(id);
    const rows = this.#tensors[id]!.shape[1]!;
    if (flow.rows < rows) this.#behind(id, flow, rows, rows, id);
    else
      this.#nodes.push(
        makeNode("reshape", `${this.#tensors[id]!.name}/window`, [flow.id], [id], { shape: this.#tensors[id]!.shape }),
      );
  }

  #overWindow(node: Node): Node {
    for (const id of node.inputs) if (this.#flows.has(id)) this.#window(id);
    return node;
  }

  /** Emits the node over new rows, where it has such a form. */
  #streamed(node: Node): boolean {
    const [x = -1] = node.inputs;
    const flow = this.#flows.get(x);
    if (!flow) return false;
    switch (node.op) {
      case "conv2d":
      case "depthwiseConv2d":
        return this.#convolution(node, x, flow);
      case "gru":
      case "lstm":
      case "rnn":
        return this.#recurrent(node, flow);
      case "stridedSlice":
        return this.#newest(node, x, flow);
      default:
        return POINTWISE.has(node.op) && this.#pointwise(node, flow);
    }
  }

  #convolution(node: Node<"conv2d" | "depthwiseConv2d">, x: number, flow: Flow): boolean {
    const { padding, strideH, dilationH } = node.attrs;
    if (padding.top > 0 || padding.bottom > 0) return false;
    if (flow.rows % strideH !== 0) throw new Uneven(strideH / gcd(flow.rows, strideH));
    const reach = (this.#tensors[node.inputs[1]!]!.shape[1]! - 1) * dilationH + 1;
    const made = flow.rows / strideH;
    const used = (made - 1) * strideH + reach;
    // rows at the window's end that no output needs yet
    const rest = (this.#tensors[x]!.shape[1]! - reach) % strideH;
    if (used + rest < flow.rows) return false;
    const from = this.#behind(x, flow, used + rest, used);
    this.#emit(node, [from, ...node.inputs.slice(1)], made);
    return true;
  }

  #pointwise(node: Node, flow: Flow): boolean {
    const inputs = node.inputs.map((id) => this.#flows.get(id)?.id ?? id);
    const constants = node.inputs.every((id) => {
      if (id < 0) return true;
      const other = this.#flows.get(id);
      if (other)
        return other.rows === flow.rows && this.#tensors[id]!.shape[1] === this.#tensors[node.inputs[0]!]!.shape[1];
      const { shape, data } = this.#tensors[id]!;
      // a constant that is the same in every row
      const rank = this.#tensors[node.inputs[0]!]!.shape.length;
      return (
        data !== undefined &&
        (shape.length < rank - 1 || (shape.length === rank - 1 && shape[0] === 1) || shape[1] === 1)
      );
    });
    if (!constants) return false;
    this.#emit(node, inputs, flow.rows);
    return true;
  }

  #recurrent(node: Node<"gru" | "lstm" | "rnn">, flow: Flow): boolean {
    const each = node.op === "lstm" ? 6 : 5;
    const { direction, timeMajor } = node.attrs;
    if (direction !== "forward" || timeMajor || node.inputs.slice(5, 1 + each).some((id) => id >= 0)) return false;
    const inputs = [flow.id, ...node.inputs.slice(1, 5)];
    for (const last of node.outputs.slice(1)) {
      const { name, data: _, ...type } = this.#tensors[last]!;
      const first = this.#tensors.push({ ...type, name: `${name}/before` }) - 1;
      inputs.push(first);
      this.#states.push({ input: first, output: last });
    }
    this.#emit(node, inputs, flow.rows);
    return true;
  }

  /** The last rows of the window are the newest: no ring is needed for them. */
  #newest(node: Node<"stridedSlice">, x: number, flow: Flow): boolean {
    const { begin, strides, sizes } = node.attrs;
    const rows = this.#tensors[x]!.shape[1]!;
    const at = flow.rows - (rows - begin[1]!);
    if (strides[1] !== 1 || begin[1]! + sizes[1]! !== rows || at < 0) return false;
    const attrs = { ...node.attrs, begin: begin.map((first, axis) => (axis === 1 ? at : first)) };
    this.#nodes.push({ ...node, inputs: [flow.id], attrs });
    return true;
  }

  #emit(node: Node, inputs: readonly number[], rows: number): void {
    const [y = -1, ...rest] = node.outputs;
    const id = this.#add(y, rows, "/new");
    this.#flows.set(y, { id, rows });
    this.#nodes.push({ ...node, inputs, outputs: [id, ...rest] } as Node);
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
