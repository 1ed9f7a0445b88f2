// add: every build equals the reference over random broadcasts, scales and zero points; the rule by hand.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { binaryCases, binaryGraph } from "../support/binaryCases.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const plain = { op: "add", attrs: { activation: "none" } } as const;

describe("add", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(binaryCases, (c) => {
        const { graph, inputs } = binaryGraph("add", c, (a, b) => Math.max(a, b) * 1.3);
        expectConformance(graph, inputs);
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it("equals the reference over the whole range of ratios of scales", () => {
    fc.assert(
      fc.property(binaryCases, fc.double({ min: -7.9, max: 14, noNaN: true }), (c, exponent) => {
        const { graph, inputs } = binaryGraph("add", c, (a, b) => Math.max(a, b) * 2 ** exponent);
        expectConformance(graph, inputs);
      }),
      { numRuns: 100, seed: 12 },
    );
  });

  it("rounds half a unit up, towards positive infinity", () => {
    const shape = [1, 4];
    const tensors = [activation("a", shape, 0.5, 0), activation("b", shape, 0.5, 0)];
    const graph = singleNode(plain, tensors, [activation("y", shape, 1, 0)]);
    const [y] = expectConformance(graph, [Int8Array.of(1, -1, 3, -3), Int8Array.of(0, 0, 0, 0)]);
    expect([...y!]).toEqual([1, 0, 2, -1]);
  });

  it("adds a tensor to itself, in place", () => {
    const x = activation("x", [3, 7], 0.1, 3);
    const graph = { ...singleNode(plain, [x], [activation("y", [3, 7], 0.2, 3)]) };
    const node = { ...graph.nodes[0]!, inputs: [0, 0] };
    const [y] = expectConformance({ ...graph, nodes: [node as (typeof graph.nodes)[0]] }, [new Random(5).int8(21)]);
    expect(y).toHaveLength(21);
  });

  it("refuses shapes that do not broadcast", () => {
    const graph = singleNode(
      plain,
      [activation("a", [2, 3], 0.1, 0), activation("b", [2], 0.1, 0)],
      [activation("y", [2, 3], 0.1, 0)],
    );
    expect(() => validateGraph(graph)).toThrow("add: shapes [2,3] and [2] do not broadcast");
  });

  it("refuses more than four axes that cannot be merged", () => {
    const graph = singleNode(
      plain,
      [activation("a", [2, 1, 2, 1, 2], 0.1, 0), activation("b", [1, 2, 1, 2, 1], 0.1, 0)],
      [activation("y", [2, 2, 2, 2, 2], 0.1, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/needs 5 separate axes but at most 4 are supported/);
  });

  it("refuses an output scale far below an input's", () => {
    const graph = singleNode(
      plain,
      [activation("a", [2], 1, 0), activation("b", [2], 1, 0)],
      [activation("y", [2], 1 / 256, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/scale is 256 times the output's but must be less than 256 times/);
  });

  it("refuses float tensors", () => {
    const graph = singleNode(
      plain,
      [activation("a", [2], 1, 0, "float32"), activation("b", [2], 1, 0)],
      [activation("y", [2], 1, 0)],
    );
    expect(() => validateGraph(graph)).toThrow('add: tensor "a" is float32 but the operator takes int8');
  });
});
