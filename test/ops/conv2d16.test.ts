// conv2d with int16 activations: every build equals the reference over shapes, dilations and biases.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Activation, elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { type BiasKind, int16Activations, symmetricWeights, wideBias } from "../support/int16Layers.ts";
import { Random } from "../support/random.ts";
import { windowOf } from "../support/windows.ts";

interface Case {
  batch: number;
  inH: number;
  inW: number;
  inC: number;
  outC: number;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  dilationH: number;
  dilationW: number;
  pad: number;
  bias: BiasKind;
  fused: Activation;
  seed: number;
}

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const { inH, inW, padding, outH, outW } = windowOf(c);
  const { strideH, strideW, dilationH, dilationW } = c;
  const graph = singleNode(
    { op: "conv2d", attrs: { strideH, strideW, dilationH, dilationW, padding, activation: c.fused } },
    [
      activation("x", [c.batch, inH, inW, c.inC], 0.0002, 0, "int16"),
      symmetricWeights([c.outC, c.kernelH, c.kernelW, c.inC], c.outC, random),
      wideBias(c.bias, c.outC, random),
    ],
    [activation("y", [c.batch, outH, outW, c.outC], 0.00004 * Math.sqrt(c.kernelH * c.kernelW * c.inC), 0, "int16")],
  );
  return { graph, input: int16Activations(elementCount(graph.tensors[0]!.shape), random) };
}

const plain: Case = {
  batch: 1,
  inH: 5,
  inW: 6,
  inC: 3,
  outC: 4,
  kernelH: 3,
  kernelW: 3,
  strideH: 1,
  strideW: 1,
  dilationH: 1,
  dilationW: 1,
  pad: 1,
  bias: "int64",
  fused: "none",
  seed: 1,
};

describe("conv2d, int16 activations", () => {
  it("equals the reference on every build", () => {
    const [size, few] = [fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3 })];
    const arbitrary = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      inH: size,
      inW: size,
      inC: fc.integer({ min: 1, max: 11 }),
      outC: fc.integer({ min: 1, max: 20 }),
      kernelH: few,
      kernelW: few,
      strideH: few,
      strideW: few,
      dilationH: few,
      dilationW: few,
      pad: fc.nat(5),
      bias: fc.constantFrom<BiasKind>("none", "int32", "int64"),
      fused: fc.constantFrom<Activation>("none", "relu", "relu6"),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 200, seed: 23 },
    );
  });

  it("covers pointwise layers and sums of several chunks", () => {
    for (const change of [
      { kernelH: 1, kernelW: 1, pad: 0, inC: 33 },
      { kernelH: 3, kernelW: 3, inC: 70, bias: "int32" },
    ] as const) {
      const { graph, input } = graphOf({ ...plain, ...change });
      expectConformance(graph, [input]);
    }
  });

  it("says what is wrong", () => {
    const { graph } = graphOf(plain);
    graph.tensors[3] = activation("y", [...graph.tensors[3]!.shape], 1e-9, 0, "int16");
    expect(() => validateGraph(graph)).toThrow(
      /output channel 0 scales its sum up by .*; choose a larger output scale\./,
    );
  });
});
