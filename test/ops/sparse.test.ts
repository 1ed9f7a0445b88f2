// Sparse weights: every build equals the reference and the dense twin, over random shapes and patterns of zeros.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, TensorData } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, expectSameBytes, runImage } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";
import { windowOf } from "../support/windows.ts";

const MOST = 2 ** 30;

/** The sparse image gives the reference's bytes on every build, and so does the dense one. */
function expectSparse(graph: Graph, input: TensorData): number {
  validateGraph(graph);
  const want = new Uint8Array(evaluate(graph, [input])[0]!.buffer as ArrayBuffer);
  const sparse = buildImage(graph, MOST, "always");
  const dense = buildImage(graph, MOST, "never");
  for (const build of BUILDS) {
    expectSameBytes(runImage(build, graph, sparse, [input])[0]!, want, `${build}: sparse`);
    expectSameBytes(runImage(build, graph, dense, [input])[0]!, want, `${build}: dense`);
  }
  return sparse.lowered.steps[0]!.kernel!;
}

/** Zeroes groups of eight outputs by four inputs of [outputs][k] at random, and single weights too. */
function prune(weights: Int8Array, outputs: number, zeros: number, random: Random): void {
  const k = weights.length / outputs;
  for (let n = 0; n < outputs; n += 8) {
    for (let i = 0; i < k; i += 4) {
      if (random.integer(0, 99) >= zeros) continue;
      for (let o = n; o < Math.min(n + 8, outputs); o++) weights.fill(0, o * k + i, o * k + Math.min(i + 4, k));
    }
  }
  for (let i = random.integer(0, 9); i < weights.length; i += 10) weights[i] = 0;
}

const byte = fc.integer({ min: -128, max: 127 });
const small = (max: number) => fc.integer({ min: 1, max });
const zeros = fc.constantFrom(0, 30, 50, 75, 90, 100);
const bits = fc.constantFrom(8, 8, 4);

function weightsOf(outputs: number, k: number, zeros: number, bits: number, random: Random): Int8Array {
  const weights = bits === 8 ? random.int8(outputs * k, -127) : random.int8(outputs * k, -8, 7);
  prune(weights, outputs, zeros, random);
  return weights;
}

const biasOf = (outputs: number, random: Random) =>
  constant(
    "b",
    [outputs],
    "int32",
    Int32Array.from({ length: outputs }, () => random.integer(-5000, 5000)),
  );

const scalesOf = (outputs: number, random: Random) =>
  quant(Array.from({ length: outputs }, () => random.real(0.001, 0.02)));

describe("sparse weights", () => {
  it("equal the reference in fullyConnected", () => {
    const cases = fc.record({
      rows: small(41),
      inC: small(150),
      outC: small(75),
      inZero: byte,
      outZero: byte,
      zeros,
      bits,
      seed: fc.integer(),
    });
    const kernels = new Set<number>();
    fc.assert(
      fc.property(cases, ({ rows, inC, outC, inZero, outZero, zeros, bits, seed }) => {
        const random = new Random(seed);
        const w = weightsOf(outC, inC, zeros, bits, random);
        const graph = singleNode(
          { op: "fullyConnected", attrs: { activation: "none" } },
          [
            activation("x", [rows, inC], 0.05, inZero),
            constant("w", [outC, inC], "int8", w, scalesOf(outC, random)),
            biasOf(outC, random),
          ],
          [activation("y", [rows, outC], 0.03 * Math.sqrt(inC), outZero)],
        );
        kernels.add(expectSparse(graph, random.int8(rows * inC)));
      }),
      { numRuns: 200, seed: 11 },
    );
    expect([...kernels].sort()).toEqual([ConvKernel.Sparse, ConvKernel.SparseNibbles]);
  });

  const conv = fc.record({
    batch: small(2),
    inH: small(9),
    inW: small(14),
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
    zeros,
    bits,
    seed: fc.integer(),
  });
  type Conv = typeof conv extends fc.Arbitrary<infer T> ? T : never;

  function graphOf(c: Conv) {
    const random = new Random(c.seed);
    const { inH, inW, padding, outH, outW } = windowOf(c);
    const k = c.kernelH * c.kernelW * c.inC;
    const { strideH, strideW, dilationH, dilationW } = c;
    const graph = singleNode(
      { op: "conv2d", attrs: { strideH, strideW, dilationH, dilationW, padding, activation: "none" } },
      [
        activation("x", [c.batch, inH, inW, c.inC], 0.05, c.inZero),
        constant(
          "w",
          [c.outC, c.kernelH, c.kernelW, c.inC],
          "int8",
          weightsOf(c.outC, k, c.zeros, c.bits, random),
          scalesOf(c.outC, random),
        ),
        biasOf(c.outC, random),
      ],
      [activation("y", [c.batch, outH, outW, c.outC], 0.03 * Math.sqrt(k), c.outZero)],
    );
    return { graph, input: random.int8(c.batch * inH * inW * c.inC) };
  }

  it("equal the reference in conv2d, dilated, strided, padded", () => {
    const kernels = new Set<number>();
    fc.assert(
      fc.property(conv, (c) => {
        const { graph, input } = graphOf(c);
        kernels.add(expectSparse(graph, input));
      }),
      { numRuns: 250, seed: 12 },
    );
    expect(kernels).toContain(ConvKernel.Sparse);
    expect(kernels).toContain(ConvKernel.SparseNibbles);
  });

  it("equal the reference in pointwise conv2d", () => {
    const one = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, pad: 0 };
    fc.assert(
      fc.property(conv, (c) => {
        const { graph, input } = graphOf({ ...c, ...one });
        expectSparse(graph, input);
      }),
      { numRuns: 80, seed: 13 },
    );
  });

  it("equal the reference at the ends of int8, where sums of products leave int16", () => {
    fc.assert(
      fc.property(conv, fc.boolean(), (c, same) => {
        const { graph, input } = graphOf(c);
        const random = new Random(c.seed);
        const [low, high] = c.bits === 4 ? [-8, 7] : [-127, 127];
        const end = (least: number, most: number) => (same || random.integer(0, 1) ? least : most);
        const weights = graph.tensors[1]!.data as Int8Array;
        weights.set(weights.map((w) => (w === 0 ? 0 : end(low, high))));
        expectSparse(
          graph,
          input.map(() => end(-128, 127)),
        );
      }),
      { numRuns: 80, seed: 14 },
    );
  });
});
