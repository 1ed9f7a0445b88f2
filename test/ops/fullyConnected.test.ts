// fullyConnected: every build equals the reference over random rows, inputs, outputs and zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
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

  it("refuses an input that does not divide into rows", () => {
    const { graph } = graphOf({ rows: 3, inC: 8, outC: 4, inZero: 0, outZero: 0, weightZero: 0, seed: 1 });
    graph.tensors[0] = { ...graph.tensors[0]!, shape: [3, 7] };
    expect(() => validateGraph(graph)).toThrow(/does not divide into rows of the 8 values/);
  });
});
