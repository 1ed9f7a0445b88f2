// Cross-layer equalization: the float net keeps its very numbers, the ranges come nearer, and a bound that was reached is respected.

import { describe, expect, it } from "vitest";
import { CoreRun } from "../../tools/evaluate/coreRun.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { equalize } from "../../tools/quantize/equalize.ts";
import { floatNet, pictures } from "../support/floatNet.ts";

const sets = pictures(20, 3);
const run = (graph: Graph) => sets.map((set) => new CoreRun(graph).run(set)[0]);

/** Of the first layer's channels, the largest weight that makes each over the largest that reads it. */
function unevenness(graph: Graph, made: string, read: string): number {
  const data = (name: string) =>
    graph.tensors[graph.nodes.find((node) => node.name === name)!.inputs[1]!]!.data as Float32Array;
  const [a, b] = [data(made), data(read)];
  const most = (from: Float32Array, c: number): number => {
    const each = from.length / 8;
    return from.slice(c * each, (c + 1) * each).reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  };
  return Array.from({ length: 8 }, (_, c) => Math.abs(Math.log2(most(a, c) / most(b, c)))).reduce((x, y) => x + y, 0);
}

describe("equalize", () => {
  it.each([1, 2, 3, 4])("keeps every output of the float net, bit for bit: net %i", (seed) => {
    for (const top of [6, Number.POSITIVE_INFINITY]) {
      const net = floatNet(seed, 8, top);
      const equal = equalize(net, sets);
      expect(run(equal)).toEqual(run(net));
    }
  });

  it("brings the ranges of a ReLU's two layers together", () => {
    const net = floatNet(5, 8, Number.POSITIVE_INFINITY);
    const equal = equalize(net, sets);
    expect(unevenness(equal, "first", "depthwise")).toBeLessThan(0.7 * unevenness(net, "first", "depthwise"));
  });

  it("leaves the channels of a bound that all reach as they are", () => {
    const net = floatNet(6, 8, 0.001);
    const equal = equalize(net, sets);
    const weights = (graph: Graph) => graph.tensors[graph.nodes.find(({ name }) => name === "first")!.inputs[1]!]!.data;
    const reached = run(net);
    expect(run(equal)).toEqual(reached);
    expect(weights(equal)).toBeDefined();
  });
});
