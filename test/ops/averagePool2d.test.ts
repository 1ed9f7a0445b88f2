// averagePool2d: every build equals the reference over random windows; ties go away from zero.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalise } from "../../tools/graph/canonicalise.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { poolCases, poolGraph } from "../support/poolCases.ts";

const padding = { top: 0, bottom: 0, left: 0, right: 0 };
const window = { kernelH: 1, kernelW: 2, strideH: 1, strideW: 2, padding, activation: "none" } as const;

describe("averagePool2d", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(poolCases, (c) => {
        const { graph, input } = poolGraph("averagePool2d", c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 200, seed: 51 },
    );
  });

  it("rounds ties away from zero, whatever the zero point", () => {
    const graph = singleNode(
      { op: "averagePool2d", attrs: window },
      [activation("x", [1, 1, 8, 1], 0.1, 7)],
      [activation("y", [1, 1, 4, 1], 0.1, 7)],
    );
    const [y] = expectConformance(graph, [Int8Array.of(1, 2, -1, -2, 0, 1, -1, 0)]);
    expect([...y!]).toEqual([2, -2, 1, -1]);
  });

  it("rounds the ties of a uint8 model as uint8", () => {
    const graph = singleNode(
      { op: "averagePool2d", attrs: { ...window, unsigned: true } },
      [activation("x", [1, 1, 6, 1], 0.1, 7)],
      [activation("y", [1, 1, 3, 1], 0.1, 7)],
    );
    const [y] = expectConformance(graph, [Int8Array.of(1, 2, -1, -2, -128, -127)]);
    expect([...y!]).toEqual([2, -1, -127]);
  });

  it("is told by the passes that the model's values were uint8", () => {
    const graph = singleNode(
      { op: "averagePool2d", attrs: window },
      [activation("x", [1, 1, 4, 1], 0.1, 7, "uint8")],
      [activation("y", [1, 1, 2, 1], 0.1, 7, "uint8")],
    );
    const [y] = expectConformance(canonicalise(graph), [Uint8Array.of(10, 11, 127, 126)]);
    expect([...y!]).toEqual([11, 127]);
  });

  it("leaves padded cells out", () => {
    const graph = singleNode(
      {
        op: "averagePool2d",
        attrs: { ...window, kernelW: 3, strideW: 1, padding: { ...padding, left: 1, right: 1 } },
      },
      [activation("x", [1, 1, 2, 1], 0.1, 0)],
      [activation("y", [1, 1, 2, 1], 0.1, 0)],
    );
    const [y] = expectConformance(graph, [Int8Array.of(10, 20)]);
    expect([...y!]).toEqual([15, 15]);
  });

  it("refuses another scale at the output", () => {
    const graph = singleNode(
      { op: "averagePool2d", attrs: window },
      [activation("x", [1, 1, 2, 1], 0.5, 0)],
      [activation("y", [1, 1, 1, 1], 0.25, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(
      "averagePool2d keeps its input's scale 0.5 and zero point 0 but the output has 0.25 and 0; requantize after it.",
    );
  });

  it("refuses windows that lie wholly in the padding", () => {
    const graph = singleNode(
      { op: "averagePool2d", attrs: { ...window, padding: { ...padding, left: 2 } } },
      [activation("x", [1, 1, 2, 1], 0.5, 0)],
      [activation("y", [1, 1, 2, 1], 0.5, 0)],
    );
    expect(() => validateGraph(graph)).toThrow(/some 1×2 windows lie wholly in the padding/);
  });
});
