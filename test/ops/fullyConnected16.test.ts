// fullyConnected with int16 activations: every build equals the reference, over the extremes of the sums.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Activation } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { type BiasKind, int16Activations, symmetricWeights, wideBias } from "../support/int16Layers.ts";
import { Random } from "../support/random.ts";

interface Case {
  rows: number;
  inC: number;
  outC: number;
  bias: BiasKind;
  fused: Activation;
  seed: number;
}

function graphOf({ rows, inC, outC, bias, fused, seed }: Case) {
  const random = new Random(seed);
  return {
    graph: singleNode(
      { op: "fullyConnected", attrs: { activation: fused } },
      [
        activation("x", [rows, inC], 0.0002, 0, "int16"),
        symmetricWeights([outC, inC], outC, random),
        wideBias(bias, outC, random),
      ],
      [activation("y", [rows, outC], 0.00004 * Math.sqrt(inC), 0, "int16")],
    ),
    input: int16Activations(rows * inC, random),
  };
}

describe("fullyConnected, int16 activations", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      inC: fc.integer({ min: 1, max: 70 }),
      outC: fc.integer({ min: 1, max: 20 }),
      bias: fc.constantFrom<BiasKind>("none", "int32", "int64"),
      fused: fc.constantFrom<Activation>("none", "relu", "relu6"),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 150, seed: 22 },
    );
  });

  it("sums past 32 bits", () => {
    for (const rows of [1, 5]) {
      const { graph } = graphOf({ rows, inC: 2001, outC: 9, bias: "int64", fused: "none", seed: 3 });
      const weights = graph.tensors[1]!.data as Int8Array;
      weights.fill(-128, 0, 2001).fill(127, 2001, 4002);
      graph.tensors[3] = activation("y", [rows, 9], 40, 0, "int16");
      const [out] = expectConformance(graph, [new Int16Array(rows * 2001).fill(-32768)]);
      expect(out!.slice(0, 2)).not.toContain(0);
    }
  });

  it("says what is wrong", () => {
    const { graph } = graphOf({ rows: 1, inC: 4, outC: 2, bias: "none", fused: "none", seed: 1 });
    graph.tensors[0] = activation("x", [1, 4], 0.0002, 7, "int16");
    expect(() => validateGraph(graph)).toThrow(
      'fullyConnected: "x" has zero point 7 but int16 layers take 0 only; quantize them symmetrically.',
    );
  });
});
