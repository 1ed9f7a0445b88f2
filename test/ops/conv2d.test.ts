// conv2d: every build equals the reference over random shapes, strides, dilations, paddings, zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import type { Activation } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, expectConformance, runImage } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
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
  inZero: number;
  outZero: number;
  weightZero: number;
  fused: Activation;
  withBias: boolean;
  seed: number;
}

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const { inH, inW, padding, outH, outW } = windowOf(c);
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
  return {
    graph: singleNode(
      {
        op: "conv2d",
        attrs: {
          strideH: c.strideH,
          strideW: c.strideW,
          dilationH: c.dilationH,
          dilationW: c.dilationW,
          padding,
          activation: c.fused,
        },
      },
      [activation("x", [c.batch, inH, inW, c.inC], 0.05, c.inZero), weights, c.withBias ? bias : undefined],
      [activation("y", [c.batch, outH, outW, c.outC], 0.03 * Math.sqrt(k), c.outZero)],
    ),
    input: random.int8(c.batch * inH * inW * c.inC),
  };
}

const byte = fc.integer({ min: -128, max: 127 });
const small = (max: number) => fc.integer({ min: 1, max });
const cases: fc.Arbitrary<Case> = fc.record({
  batch: small(2),
  inH: small(9),
  inW: small(11),
  inC: small(19),
  outC: small(21),
  kernelH: small(4),
  kernelW: small(4),
  strideH: small(3),
  strideW: small(3),
  dilationH: small(2),
  dilationW: small(2),
  pad: fc.integer({ min: 0, max: 6 }),
  inZero: byte,
  outZero: byte,
  weightZero: fc.oneof(fc.constant(0), fc.constant(0), byte),
  fused: fc.constantFrom("none", "relu", "relu6", "reluN1To1"),
  withBias: fc.boolean(),
  seed: fc.integer(),
});

const PLAIN_3X3 = {
  kernelH: 3,
  kernelW: 3,
  strideH: 1,
  strideW: 1,
  dilationH: 1,
  dilationW: 1,
  weightZero: 0,
  fused: "none",
} as const;

describe("conv2d", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it("equals the reference at the ends of int8, where sums of products leave int16", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (c, same) => {
        const { graph } = graphOf({ ...c, weightZero: 0 });
        const random = new Random(c.seed);
        const end = () => (same || random.integer(0, 1) ? -128 : 127);
        const weights = graph.tensors[1]!.data as Int8Array;
        weights.set(weights.map(end));
        expectConformance(graph, [Int8Array.from({ length: graph.tensors[0]!.shape.reduce((a, b) => a * b) }, end)]);
      }),
      { numRuns: 80, seed: 7 },
    );
  });

  it("equals the reference where it is pointwise", () => {
    const pointwise = cases.map((c) => ({
      ...c,
      kernelH: 1,
      kernelW: 1,
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      pad: 0,
    }));
    fc.assert(
      fc.property(pointwise, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it("equals the reference by Winograd's algorithm", () => {
    const winograd = fc
      .record({
        batch: small(2),
        inH: small(9),
        inW: fc.integer({ min: 5, max: 19 }),
        inC: fc.constantFrom(8, 16, 24),
        outC: fc.integer({ min: 8, max: 20 }),
        pad: fc.integer({ min: 0, max: 6 }),
        inZero: byte,
        outZero: byte,
        withBias: fc.boolean(),
        seed: fc.integer(),
      })
      .map((c): Case => ({ ...c, ...PLAIN_3X3 }));
    fc.assert(
      fc.property(winograd, (c) => {
        const { graph, input } = graphOf(c);
        const [step] = buildImage(graph).lowered.steps;
        fc.pre(step?.kernel === ConvKernel.Winograd);
        expectConformance(graph, [input]);
      }),
      { numRuns: 80, seed: 5 },
    );
  });

  it("gives up Winograd's weights under a memory budget, with the same bytes", () => {
    const { graph, input } = graphOf({
      ...PLAIN_3X3,
      batch: 1,
      inH: 8,
      inW: 8,
      inC: 16,
      outC: 16,
      pad: 1,
      inZero: 3,
      outZero: -4,
      withBias: true,
      seed: 9,
    });
    const fast = buildImage(graph);
    const small = buildImage(graph, fast.totalBytes - 1);
    expect(fast.lowered.steps[0]!.kernelName).toBe("winograd 4×4 s16");
    expect(small.lowered.steps[0]!.kernelName).toBe("rows gemm 4×8 s8");
    expect(small.totalBytes).toBeLessThan(fast.totalBytes);
    for (const build of BUILDS) {
      expect(runImage(build, graph, small, [input])).toEqual(runImage(build, graph, fast, [input]));
    }
    expect(() => buildImage(graph, 1000)).toThrow(/needs \d+ bytes of memory but at most 1000 are allowed/);
  });

  it("refuses grouped weights in one sentence", () => {
    const { graph } = graphOf({
      batch: 1,
      inH: 4,
      inW: 4,
      inC: 4,
      outC: 8,
      kernelH: 1,
      kernelW: 1,
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      pad: 0,
      inZero: 0,
      outZero: 0,
      weightZero: 0,
      fused: "none",
      withBias: false,
      seed: 1,
    });
    graph.tensors[1] = { ...graph.tensors[1]!, shape: [8, 1, 1, 2], data: new Int8Array(16) };
    expect(() => validateGraph(graph)).toThrow(
      /weights take 2 input channels but the input has 4; grouped convolution is not supported/,
    );
  });
});
