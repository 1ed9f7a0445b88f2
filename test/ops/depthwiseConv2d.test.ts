// depthwiseConv2d: every build equals the reference over random shapes, multipliers, strides, dilations, paddings.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Conv } from "../../assembly/abi.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";
import { windowOf } from "../support/windows.ts";

const small = (max: number) => fc.integer({ min: 1, max });
const byte = fc.integer({ min: -128, max: 127 });
const cases = fc.record({
  batch: small(2),
  inH: small(9),
  inW: small(9),
  inC: small(20),
  multiplier: fc.constantFrom(1, 1, 2, 3, 8),
  kernelH: small(5),
  kernelW: small(5),
  strideH: small(2),
  strideW: small(3),
  dilationH: small(2),
  dilationW: small(2),
  pad: fc.integer({ min: 0, max: 6 }),
  inZero: byte,
  outZero: byte,
  weightZero: fc.oneof(fc.constant(0), byte),
  seed: fc.integer(),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const { inH, inW, padding, outH, outW } = windowOf(c);
  const outC = c.inC * c.multiplier;
  const taps = c.kernelH * c.kernelW;
  const scales = Array.from({ length: c.weightZero ? 1 : outC }, () => random.real(0.001, 0.02));
  const weights = constant(
    "w",
    [1, c.kernelH, c.kernelW, outC],
    "int8",
    random.int8(taps * outC, c.weightZero ? -128 : -127),
    quant(scales, c.weightZero, 3),
  );
  const bias = constant(
    "b",
    [outC],
    "int32",
    Int32Array.from({ length: outC }, () => random.integer(-3000, 3000)),
  );
  return {
    graph: singleNode(
      {
        op: "depthwiseConv2d",
        attrs: {
          strideH: c.strideH,
          strideW: c.strideW,
          dilationH: c.dilationH,
          dilationW: c.dilationW,
          padding,
          activation: "none",
          multiplier: c.multiplier,
        },
      },
      [activation("x", [c.batch, inH, inW, c.inC], 0.05, c.inZero), weights, bias],
      [activation("y", [c.batch, outH, outW, outC], 0.04 * Math.sqrt(taps), c.outZero)],
    ),
    input: random.int8(c.batch * inH * inW * c.inC),
  };
}

describe("depthwiseConv2d", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it("equals the reference where a tall picture is turned on its side", () => {
    const tall = fc
      .tuple(cases, fc.integer({ min: 8, max: 30 }))
      .map(([c, inH]) => ({ ...c, inH, inW: (c.inW % 6) + 1 }));
    let turned = 0;
    fc.assert(
      fc.property(tall, (c) => {
        const { graph, input } = graphOf(c);
        const [step] = buildImage(graph).lowered.steps;
        turned += step!.fields.find(([word]) => word === Conv.Turned)![1];
        expectConformance(graph, [input]);
      }),
      { numRuns: 80, seed: 4 },
    );
    expect(turned).toBeGreaterThan(40);
  });

  it("refuses weights that do not fit the multiplier", () => {
    const { graph } = graphOf({
      batch: 1,
      inH: 4,
      inW: 4,
      inC: 3,
      multiplier: 2,
      kernelH: 3,
      kernelW: 3,
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      pad: 0,
      inZero: 0,
      outZero: 0,
      weightZero: 0,
      seed: 1,
    });
    graph.tensors[0] = { ...graph.tensors[0]!, shape: [1, 4, 4, 4] };
    expect(() => validateGraph(graph)).toThrow(
      /do not fit 4 input channels times multiplier 2; expected \[1, kernelH, kernelW, 8\]/,
    );
  });
});
