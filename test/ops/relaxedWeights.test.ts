// conv2d and fullyConnected with weights in −127 … 127 and in −64 … 63, for which the relaxed build has kernels of its
// own: the packer says so only where it is true, every build equals the reference, and no file leaves its memory.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import type { Graph, TensorData } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";
import { windowOf } from "../support/windows.ts";

const size = (min: number, max: number) => fc.integer({ min, max });
const byte = size(-128, 127);

/** The last weight range of each kernel, whose first is all of int8 but −128. */
const RANGES = [
  [ConvKernel.Int8Symmetric, -127, 127],
  [ConvKernel.Int7, -64, 63],
] as const;

interface Values {
  readonly low: number;
  readonly high: number;
  /** only the ends of the ranges, of weights and of inputs */
  readonly ends: boolean;
  readonly inZero: number;
  readonly outZero: number;
  readonly seed: number;
}
const values = { ends: fc.boolean(), inZero: byte, outZero: byte, seed: fc.integer() };

function int8({ ends, seed }: Values, count: number, low: number, high: number, salt: number): Int8Array {
  const random = new Random(seed + salt);
  const data = random.int8(count, low, high);
  return ends ? data.map(() => (random.integer(0, 3) > 0 ? low : high)) : data;
}

function constants(v: Values, shape: readonly number[], outputs: number, inputs: number) {
  const random = new Random(v.seed);
  const weights = int8(v, outputs * inputs, v.low, v.high, 1);
  // the ends are there, so that the range is no narrower than it says
  weights[0] = v.low;
  weights[weights.length - 1] = v.high;
  const scales = Array.from({ length: outputs }, () => random.real(0.001, 0.02));
  const bias = Int32Array.from({ length: outputs }, () => random.integer(-9000, 9000));
  return [constant("w", shape, "int8", weights, quant(scales, 0)), constant("b", [outputs], "int32", bias)];
}

const dense = fc.record({ rows: size(1, 19), inC: size(2, 70), outC: size(1, 41), ...values });
type Dense = typeof dense extends fc.Arbitrary<infer T> ? T : never;

function denseGraph(c: Dense & Values): readonly [Graph, TensorData[]] {
  const { rows, inC, outC } = c;
  const graph = singleNode(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [activation("x", [rows, inC], 0.05, c.inZero), ...constants(c, [outC, inC], outC, inC)],
    [activation("y", [rows, outC], 0.03 * Math.sqrt(inC), c.outZero)],
  );
  return [graph, [int8(c, rows * inC, -128, 127, 2)]];
}

const convolution = fc.record({
  batch: size(1, 2),
  inH: size(1, 7),
  inW: size(1, 19),
  inC: size(1, 21),
  outC: size(1, 35),
  kernelH: size(1, 4),
  kernelW: size(1, 4),
  strideH: size(1, 2),
  strideW: size(1, 2),
  dilationH: size(1, 2),
  dilationW: size(1, 2),
  pad: size(0, 6),
  ...values,
});
type Convolution = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

function convolutionGraph(c: Convolution & Values): readonly [Graph, TensorData[]] {
  const { inH, inW, padding, outH, outW } = windowOf(c);
  const { batch, inC, outC, kernelH, kernelW, strideH, strideW, dilationH, dilationW } = c;
  const k = kernelH * kernelW * inC;
  const graph = singleNode(
    { op: "conv2d", attrs: { strideH, strideW, dilationH, dilationW, padding, activation: "none" } },
    [activation("x", [batch, inH, inW, inC], 0.05, c.inZero), ...constants(c, [outC, kernelH, kernelW, inC], outC, k)],
    [activation("y", [batch, outH, outW, outC], 0.03 * Math.sqrt(k), c.outZero)],
  );
  return [graph, [int8(c, batch * inH * inW * inC, -128, 127, 2)]];
}

const kernelOf = (graph: Graph): number => buildImage(graph).lowered.steps[0]!.kernel!;

describe.each(RANGES)("kernel %i, weights %i … %i", (kernel, low, high) => {
  it("equals the reference as fullyConnected on every build", () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(dense, (c) => {
        const [graph, inputs] = denseGraph({ ...c, low, high });
        seen.add(kernelOf(graph));
        expectConformance(graph, inputs);
      }),
      { numRuns: 120, seed: 11 },
    );
    expect([...seen].sort()).toEqual([ConvKernel.Int8, kernel]);
  });

  it("equals the reference as conv2d on every build", () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(convolution, (c) => {
        const [graph, inputs] = convolutionGraph({ ...c, low, high });
        seen.add(kernelOf(graph));
        expectConformance(graph, inputs);
      }),
      { numRuns: 150, seed: 12 },
    );
    expect(seen).toContain(kernel);
  });

  it("equals the reference as a pointwise conv2d on every build", () => {
    const plain = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, pad: 0 };
    fc.assert(
      fc.property(convolution, (c) => {
        expectConformance(...convolutionGraph({ ...c, ...plain, low, high }));
      }),
      { numRuns: 80, seed: 13 },
    );
  });

  it("is not chosen for one weight beyond the range", () => {
    const c = { rows: 9, inC: 32, outC: 8, ends: false, inZero: 0, outZero: 0, seed: 3, low, high };
    const [graph] = denseGraph(c);
    const weights = graph.tensors[1]!.data as Int8Array;
    expect(kernelOf(graph)).toBe(kernel);
    weights[5] = low - 1;
    expect(kernelOf(graph)).toBe(kernel === ConvKernel.Int7 ? ConvKernel.Int8Symmetric : ConvKernel.Int8);
  });

  it.each(BUILDS)("stays inside the memory on the %s build, whatever the plan says", (build) => {
    const c = { ends: false, inZero: 3, outZero: -5, seed: 5, low, high };
    const [rows] = denseGraph({ ...c, rows: 11, inC: 23, outC: 19 });
    const one = { batch: 1, inH: 5, inW: 12, inC: 4, outC: 19, kernelH: 3, kernelW: 3, strideH: 1, strideW: 1 };
    const [windows] = convolutionGraph({ ...c, ...one, dilationH: 1, dilationW: 1, pad: 3 });
    for (const graph of [rows, windows]) {
      expect(kernelOf(graph)).toBe(kernel);
      expect(expectContained(build, graph, 1500, 21)).toBeGreaterThan(50);
    }
  });
});
