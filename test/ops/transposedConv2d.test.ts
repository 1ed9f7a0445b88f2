// transposedConv2d: every build equals the reference over random shapes, strides, cuts and zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Activation, elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

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
  top: number;
  left: number;
  /** added to the full output's size */
  more: number;
  inZero: number;
  outZero: number;
  weightZero: number;
  fused: Activation;
  withBias: boolean;
  seed: number;
}

const plain: Case = {
  batch: 1,
  inH: 4,
  inW: 5,
  inC: 3,
  outC: 4,
  kernelH: 3,
  kernelW: 3,
  strideH: 2,
  strideW: 2,
  top: 0,
  left: 0,
  more: 0,
  inZero: -12,
  outZero: 14,
  weightZero: 0,
  fused: "none",
  withBias: true,
  seed: 1,
};

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const outH = Math.max(1, (c.inH - 1) * c.strideH + c.kernelH - c.top + c.more);
  const outW = Math.max(1, (c.inW - 1) * c.strideW + c.kernelW - c.left + c.more);
  const k = c.kernelH * c.kernelW * c.inC;
  const scales = Array.from({ length: c.weightZero ? 1 : c.outC }, () => random.real(0.001, 0.02));
  const weights = constant(
    "w",
    [c.outC, c.kernelH, c.kernelW, c.inC],
    "int8",
    random.int8(c.outC * k, c.weightZero ? -128 : -127),
    quant(scales, c.weightZero),
  );
  const bias = constant(
    "b",
    [c.outC],
    "int32",
    Int32Array.from({ length: c.outC }, () => random.integer(-5000, 5000)),
  );
  const attrs = {
    strideH: c.strideH,
    strideW: c.strideW,
    padding: { top: c.top, bottom: 0, left: c.left, right: 0 },
    activation: c.fused,
    outH,
    outW,
  };
  const graph = singleNode(
    { op: "transposedConv2d", attrs },
    [activation("x", [c.batch, c.inH, c.inW, c.inC], 0.05, c.inZero), weights, c.withBias ? bias : undefined],
    [activation("y", [c.batch, outH, outW, c.outC], 0.03 * Math.sqrt(k), c.outZero)],
  );
  return { graph, input: random.int8(elementCount(graph.tensors[0]!.shape)) };
}

const byte = fc.integer({ min: -128, max: 127 });

describe("transposedConv2d", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      inH: fc.integer({ min: 1, max: 6 }),
      inW: fc.integer({ min: 1, max: 9 }),
      inC: fc.integer({ min: 1, max: 11 }),
      outC: fc.integer({ min: 1, max: 40 }),
      kernelH: fc.integer({ min: 1, max: 5 }),
      kernelW: fc.integer({ min: 1, max: 5 }),
      strideH: fc.integer({ min: 1, max: 4 }),
      strideW: fc.integer({ min: 1, max: 4 }),
      top: fc.nat(4),
      left: fc.nat(9),
      more: fc.integer({ min: -2, max: 3 }),
      inZero: byte,
      outZero: byte,
      weightZero: fc.oneof(fc.constant(0), fc.constant(0), byte),
      fused: fc.constantFrom<Activation>("none", "relu", "relu6"),
      withBias: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 300, seed: 21 },
    );
  });

  it("covers strides past the kernel, where some outputs meet no tap", () => {
    const { graph, input } = graphOf({ ...plain, kernelH: 2, kernelW: 1, strideH: 3, strideW: 4, more: 2 });
    expectConformance(graph, [input]);
  });

  it("says what is wrong", () => {
    const { graph } = graphOf(plain);
    graph.tensors[0] = activation("x", [1, 4, 5, 2], 0.05, 0);
    expect(() => validateGraph(graph)).toThrow(
      "transposedConv2d: weights [4,3,3,3] take 3 input channels but the input has 2; check the weights' layout.",
    );
    expect(() => validateGraph(graphOf({ ...plain, strideH: 65 }).graph)).toThrow(/strides of 1 to 64 are supported/);
  });
});
