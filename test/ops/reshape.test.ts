// reshape: no step and no bytes moved, unless the input is a constant.

import { describe, expect, it } from "vitest";
import type { Graph, Tensor } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const node = (shape: readonly number[]) => ({ op: "reshape", attrs: { shape } }) as const;
const graph = (x: Tensor, shape: readonly number[], y = activation("y", shape, 0.1, 3)) =>
  singleNode(node(shape), [x], [y]);

describe("reshape", () => {
  it("shares the input's bytes", () => {
    const g = graph(activation("x", [2, 3, 4], 0.1, 3), [6, 4]);
    expectConformance(g, [new Random(1).int8(24)]);
    expect(buildImage(g).lowered.steps).toHaveLength(0);
  });

  it("copies a constant", () => {
    const data = new Random(2).int8(24);
    const [out] = expectConformance(graph(constant("x", [24], "int8", data, quant(0.1, 3)), [2, 3, 4]), []);
    expect(out).toEqual(data);
  });

  it("stands between two operators", () => {
    const x = activation("x", [2, 3], 0.1, 3);
    const flat = activation("flat", [6], 0.1, 3);
    const y = activation("y", [3, 2], 0.1, 3);
    const g: Graph = {
      name: "chain",
      tensors: [x, flat, y, activation("t", [2, 3], 0.1, 3)],
      nodes: [
        { op: "reshape", name: "flat", inputs: [0], outputs: [1], attrs: { shape: [6] } },
        { op: "reshape", name: "y", inputs: [1], outputs: [2], attrs: { shape: [3, 2] } },
        { op: "transpose", name: "t", inputs: [2], outputs: [3], attrs: { permutation: [1, 0] } },
      ],
      inputs: [0],
      outputs: [2, 3],
    };
    expectConformance(g, [new Random(3).int8(6)]);
  });

  it("says what is wrong", () => {
    expect(() => validateGraph(graph(activation("x", [2, 3], 0.1, 3), [7]))).toThrow(
      "reshape: [2,3] has 6 elements but the new shape [7] has 7; give a shape of as many.",
    );
    const other = activation("y", [6], 0.2, 3);
    expect(() => validateGraph(graph(activation("x", [2, 3], 0.1, 3), [6], other))).toThrow(/requantize it/);
  });
});
