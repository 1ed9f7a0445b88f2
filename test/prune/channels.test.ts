// Channel pruning: channels that say nothing go without a trace, joined ones go together, and graphs stay whole.

import { describe, expect, it } from "vitest";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { pruneChannels } from "../../tools/prune/channels.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const padding = { top: 1, bottom: 1, left: 1, right: 1 };
const none = { top: 0, bottom: 0, left: 0, right: 0 };
const window = { strideH: 1, strideW: 1, activation: "none" } as const;

/** Adds tensors and nodes one behind another. */
class Builder {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  constructor(readonly random: Random) {}

  tensor(tensor: Tensor): number {
    return this.tensors.push(tensor) - 1;
  }
  input(shape: readonly number[]): number {
    return this.tensor(activation("x", shape, 0.05, 3));
  }
  node(node: Pick<Node, "op" | "attrs">, inputs: readonly number[], shape: readonly number[], scale = 0.1): number {
    const name = `${node.op}${this.nodes.length}`;
    const y = this.tensor(activation(name, shape, scale, -3));
    this.nodes.push({ ...node, name, inputs, outputs: [y] } as Node);
    return y;
  }
  /** Filters of the channels in `dead` are zero, with their bias. */
  weights(shape: readonly number[], axis: number, dead: readonly number[]): number[] {
    const count = shape[axis]!;
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const data = this.random.int8(elementCount(shape), -127).map((w, i) => {
      return dead.includes(Math.floor(i / inner) % count) ? 0 : w;
    });
    const scales = Array.from({ length: count }, () => this.random.real(0.005, 0.02));
    const bias = Int32Array.from({ length: count }, (_, n) => (dead.includes(n) ? 0 : this.random.integer(-900, 900)));
    return [
      this.tensor(constant("w", shape, "int8", data, quant(scales, 0, axis))),
      this.tensor(constant("b", [count], "int32", bias)),
    ];
  }
  conv(x: number, outC: number, size: number, dead: readonly number[]): number {
    const [n, h, w, inC] = this.tensors[x]!.shape as [number, number, number, number];
    const attrs = { ...window, dilationH: 1, dilationW: 1, padding: size === 1 ? none : padding };
    return this.node({ op: "conv2d", attrs }, [x, ...this.weights([outC, size, size, inC], 0, dead)], [n, h, w, outC]);
  }
  depthwise(x: number, dead: readonly number[]): number {
    const shape = this.tensors[x]!.shape;
    const attrs = { ...window, dilationH: 1, dilationW: 1, padding, multiplier: 1 };
    return this.node({ op: "depthwiseConv2d", attrs }, [x, ...this.weights([1, 3, 3, shape[3]!], 3, dead)], shape);
  }
  graph(input: number, output: number): Graph {
    return { name: "pruned", tensors: this.tensors, nodes: this.nodes, inputs: [input], outputs: [output] };
  }
}

/** A residual stage, a branch that is joined behind it, a pool, and a dense layer over the flattened pixels or their mean. */
function network(seed: number, flatten: boolean): Graph {
  const b = new Builder(new Random(seed));
  const x = b.input([1, 6, 6, 3]);
  const stem = b.conv(x, 16, 3, [1, 5, 6, 9]);
  const deep = b.conv(b.depthwise(b.conv(stem, 24, 1, [0, 2, 3, 7, 8, 11, 20, 21]), []), 16, 1, [1, 5, 6, 9]);
  // the depthwise filters of dead channels see real zeros, but their bias must be none either
  const add = b.node({ op: "add", attrs: { activation: "none" } }, [stem, deep], [1, 6, 6, 16]);
  const branch = b.conv(x, 8, 3, [3, 4]);
  const joined = b.node({ op: "concat", attrs: { axis: 3, activation: "none" } }, [add, branch], [1, 6, 6, 24]);
  const pool = { ...window, strideH: 2, strideW: 2, padding: none, kernelH: 2, kernelW: 2 };
  const pooled = b.node({ op: "maxPool2d", attrs: pool }, [joined], [1, 3, 3, 24]);
  b.tensors[pooled] = { ...b.tensors[pooled]!, quant: b.tensors[joined]!.quant! };
  const flat = flatten
    ? b.node({ op: "reshape", attrs: { shape: [1, 216] } }, [pooled], [1, 216])
    : b.node({ op: "mean", attrs: { axes: [1, 2], keepDims: false } }, [pooled], [1, 24]);
  b.tensors[flat] = { ...b.tensors[flat]!, quant: b.tensors[pooled]!.quant! };
  const inC = flatten ? 216 : 24;
  const y = b.node(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [flat, ...b.weights([10, inC], 0, [])],
    [1, 10],
    2,
  );
  return b.graph(x, y);
}

/** Depthwise filters of channels that are always real zero: their bias is set to none, so that they stay zero. */
function silenceDepthwise(graph: Graph, channels: readonly number[]): Graph {
  const node = graph.nodes.find(({ op }) => op === "depthwiseConv2d")!;
  const bias = graph.tensors[node.inputs[2]!]!.data as Int32Array;
  for (const channel of channels) bias[channel] = 0;
  return graph;
}

const shapeOf = (graph: Graph, op: string, nth = 0): readonly number[] =>
  graph.tensors[graph.nodes.filter((node) => node.op === op)[nth]!.outputs[0]!]!.shape;

describe("channel pruning", () => {
  it.each([
    ["flattened pixels", true],
    ["means", false],
  ])("removes silent channels without a trace, up to %s", (_, flatten) => {
    for (let seed = 1; seed <= 10; seed++) {
      const graph = silenceDepthwise(network(seed, flatten), [0, 2, 3, 7, 8, 11, 20, 21]);
      validateGraph(graph);
      const pruned = pruneChannels(graph, {
        keep: (name) => ({ conv2d0: 0.75, conv2d1: 2 / 3, conv2d3: 0.75, conv2d5: 0.75 })[name] ?? 1,
        multiple: 1,
      });
      validateGraph(pruned);
      expect(shapeOf(pruned, "conv2d", 0)).toEqual([1, 6, 6, 12]);
      expect(shapeOf(pruned, "depthwiseConv2d")).toEqual([1, 6, 6, 16]);
      expect(shapeOf(pruned, "add")).toEqual([1, 6, 6, 12]);
      expect(shapeOf(pruned, "concat")).toEqual([1, 6, 6, 18]);
      expect(shapeOf(pruned, "fullyConnected")).toEqual([1, 10]);
      const input = graph.tensors[0]!.shape.reduce((a, b) => a * b);
      const data = new Random(seed).int8(input);
      expect(evaluate(pruned, [data])[0]).toEqual(evaluate(graph, [data])[0]);
      expectConformance(pruned, [data]);
    }
  });

  it("keeps a multiple of eight channels, and what the caller sees", () => {
    const graph = network(3, true);
    const pruned = pruneChannels(graph, { keep: 0.5 });
    validateGraph(pruned);
    expect(shapeOf(pruned, "add")).toEqual([1, 6, 6, 8]);
    expect(shapeOf(pruned, "depthwiseConv2d")).toEqual([1, 6, 6, 16]);
    expect(shapeOf(pruned, "concat")).toEqual([1, 6, 6, 16]);
    expect(shapeOf(pruned, "fullyConnected")).toEqual([1, 10]);
    const weights = (g: Graph): number => g.tensors.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    expect(weights(pruned)).toBeLessThan(0.7 * weights(graph));
    expectConformance(pruned, [new Random(4).int8(108)]);
  });

  it("refuses a part of channels that keeps none", () => {
    expect(() => pruneChannels(network(1, true), { keep: 0 })).toThrow(
      "the part of channels to keep is 0, expected above 0 and at most 1",
    );
  });
});
