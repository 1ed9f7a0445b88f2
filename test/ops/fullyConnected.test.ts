// fullyConnected: every build equals the reference over random rows, inputs, outputs and zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const byte = fc.integer({ min: -128, max: 127 });
const cases = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  inC: fc.integer({ min: 1, max: 70 }),
  outC: fc.integer({ min: 1, max: 75 }),
  inZero: byte,
  outZero: byte,
  weightZero: fc.oneof(fc.constant(0), byte),
  seed: fc.integer(),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const scales = Array.from({ length: c.weightZero ? 1 : c.outC }, () => random.real(0.001, 0.02));
  return {
    graph: singleNode(
      { op: "fullyConnected", attrs: { activation: "none" } },
      [
        activation("x", [c.rows, c.inC], 0.05, c.inZero),
        constant("w", [c.outC, c.inC], "int8", random.int8(c.outC * c.inC), quant(scales, c.weightZero)),
        constant(
          "b",
          [c.outC],
          "int32",
          Int32Array.from({ length: c.outC }, () => random.integer(-9000, 9000)),
        ),
      ],
      [activation("y", [c.rows, c.outC], 0.03 * Math.sqrt(c.inC), c.outZero)],
    ),
    input: random.int8(c.rows * c.inC),
  };
}

describe("fullyConnected", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it("equals the reference at the ends of int8, where sums of products leave int16", () => {
    const ends = fc.record({
      rows: fc.integer({ min: 1, max: 5 }),
      inC: fc.integer({ min: 1, max: 37 }),
      outC: fc.integer({ min: 1, max: 41 }),
      low: fc.constantFrom(-128, -127),
      weightLow: fc.constantFrom(-128, -127),
      same: fc.boolean(),
      seed: fc.integer(),
    });
    const kernels = new Set<number>();
    fc.assert(
      fc.property(ends, ({ rows, inC, outC, low, weightLow, same, seed }) => {
        const { graph } = graphOf({ rows, inC, outC, inZero: 0, outZero: 0, weightZero: 0, seed });
        const random = new Random(seed);
        const end = (least: number) => (same || random.integer(0, 1) ? least : 127);
        const weights = graph.tensors[1]!.data as Int8Array;
        weights.set(weights.map(() => end(weightLow)));
        expectConformance(graph, [Int8Array.from({ length: rows * inC }, () => end(low))]);
        kernels.add(buildImage(graph).lowered.steps[0]!.kernel!);
      }),
      { numRuns: 200, seed: 6 },
    );
    expect([...kernels].sort()).toEqual([ConvKernel.Int8, ConvKernel.Int8Wide, ConvKernel.Int8Symmetric]);
  });

  it("keeps int8 weights unless two that are −128 would meet", () => {
    const kernelOf = (places: readonly number[]): number => {
      const { graph } = graphOf({ rows: 1, inC: 9, outC: 2, inZero: 0, outZero: 0, weightZero: 0, seed: 1 });
      const weights = graph.tensors[1]!.data as Int8Array;
      weights.fill(1);
      for (const at of places) weights[at] = -128;
      return buildImage(graph).lowered.steps[0]!.kernel!;
    };
    expect(kernelOf([])).toBe(ConvKernel.Int8);
    expect(kernelOf([0, 1, 4, 5, 8])).toBe(ConvKernel.Int8);
    expect(kernelOf([8, 10])).toBe(ConvKernel.Int8);
    expect(kernelOf([6, 8])).toBe(ConvKernel.Int8Wide);
    expect(kernelOf([9, 11])).toBe(ConvKernel.Int8Wide);
  });

  it("refuses an input that does not divide into rows", () => {
    const { graph } = graphOf({ rows: 3, inC: 8, outC: 4, inZero: 0, outZero: 0, weightZero: 0, seed: 1 });
    graph.tensors[0] = { ...graph.tensors[0]!, shape: [3, 7] };
    expect(() => validateGraph(graph)).toThrow(/does not divide into rows of the 8 values/);
  });
});
