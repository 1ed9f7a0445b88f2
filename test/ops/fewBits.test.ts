// conv2d and fullyConnected with weights of four bits and fewer: every build equals the reference, over random shapes,
// zero points and groups, and at the ends of all ranges; the kernels are those for few bits.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import type { Coding, Graph, Quantization } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, expectConformance, expectSameBytes, runImage } from "../support/conformance.ts";
import { activation, constant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const byte = fc.integer({ min: -128, max: 127 });
const codings = fc.constantFrom<Coding>("int4", "codebook", "ternary", "binary");

/** Values of a coding, the ends more often than others where `extreme`. */
function values(coding: Coding, count: number, random: Random, extreme: boolean): Int8Array {
  const start = random.integer(-128, 0);
  const span = [7, 15, 31, 63, 127][random.integer(0, 4)]!;
  const book = [start, start + span, ...Array.from({ length: 14 }, () => start + random.integer(0, span))];
  const all = { int4: [-8, 7, -7, -1, 0, 1, 3, 5], codebook: book, ternary: [-1, 1, 0], binary: [-1, 1] }[coding];
  return Int8Array.from({ length: count }, () => all[random.integer(0, extreme ? 1 : all.length - 1)]!);
}

function quantOf(scales: number, random: Random, zeroPoints: boolean, groupSize: number | undefined): Quantization {
  return {
    scale: Float32Array.from({ length: scales }, () => random.real(0.001, 0.02)),
    zeroPoint: Int32Array.from({ length: scales }, () => (zeroPoints ? random.integer(-8, 7) : 0)),
    axis: 0,
    ...(groupSize !== undefined && { groupSize }),
  };
}

const biases = (count: number, random: Random) =>
  constant(
    "b",
    [count],
    "int32",
    Int32Array.from({ length: count }, () => random.integer(-9000, 9000)),
  );

const kernelOf = (graph: Graph): number => buildImage(graph).lowered.steps[0]!.kernel!;

const KERNELS = {
  int4: ConvKernel.Int4,
  codebook: ConvKernel.Codebook,
  ternary: ConvKernel.Ternary,
  binary: ConvKernel.Binary,
};

const ends = (random: Random, count: number): Int8Array =>
  Int8Array.from({ length: count }, () => (random.integer(0, 5) ? -128 : 127));

describe("fullyConnected of few bits", () => {
  const cases = fc.record({
    coding: codings,
    rows: fc.integer({ min: 1, max: 24 }),
    inC: fc.integer({ min: 20, max: 170 }),
    outC: fc.integer({ min: 1, max: 75 }),
    inZero: byte,
    outZero: byte,
    groupSize: fc.option(fc.constantFrom(16, 32, 64, 128), { nil: undefined }),
    asymmetric: fc.boolean(),
    perTensor: fc.boolean(),
    extreme: fc.boolean(),
    seed: fc.integer(),
  });

  it("equals the reference on every build", () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(cases, ({ coding, rows, inC, outC, inZero, outZero, perTensor, asymmetric, extreme, seed, ...c }) => {
        const random = new Random(seed);
        const groupSize = coding === "int4" ? c.groupSize : undefined;
        const scales = groupSize ? outC * Math.ceil(inC / groupSize) : perTensor ? 1 : outC;
        const quant = quantOf(scales, random, asymmetric && coding === "int4", groupSize);
        const weights = constant("w", [outC, inC], "int8", values(coding, outC * inC, random, extreme), quant);
        const graph = singleNode(
          { op: "fullyConnected", attrs: { activation: "none" } },
          [activation("x", [rows, inC], 0.05, inZero), { ...weights, coding }, biases(outC, random)],
          [activation("y", [rows, outC], 0.004 * Math.sqrt(inC), outZero)],
        );
        expectConformance(graph, [extreme ? ends(random, rows * inC) : random.int8(rows * inC)]);
        const chosen = kernelOf(graph);
        // the three of int8 for rows too short for these
        const kernel = chosen === ConvKernel.Int7 || chosen === ConvKernel.Int8Symmetric ? ConvKernel.Int8 : chosen;
        expect(kernel).toBe(groupSize ? ConvKernel.Int4Groups : inC < 48 ? ConvKernel.Int8 : KERNELS[coding]);
        seen.add(kernel);
      }),
      { numRuns: 300, seed: 11 },
    );
    expect(seen.size).toBe(6);
  });
});

it("room for weights at eight bits is spare: a memory limit takes it back, and the answers stay", () => {
  const random = new Random(5);
  const [rows, inC, outC] = [20, 256, 128];
  const weights = constant("w", [outC, inC], "int8", values("int4", outC * inC, random, false), {
    ...quantOf(outC, random, false, undefined),
  });
  const graph = singleNode(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [activation("x", [rows, inC], 0.05, 3), { ...weights, coding: "int4" }, biases(outC, random)],
    [activation("y", [rows, outC], 0.06, 0)],
  );
  const roomy = buildImage(graph);
  expect(roomy.lowered.steps[0]!.spareBytes).toBeGreaterThanOrEqual(outC * inC);
  const frugal = buildImage(graph, roomy.totalBytes - outC * inC);
  expect(frugal.lowered.steps[0]!.spareBytes).toBe(0);
  const input = random.int8(rows * inC);
  const [want] = expectConformance(graph, [input]);
  for (const build of BUILDS) {
    const [got] = runImage(build, graph, frugal, [input]);
    expectSameBytes(got!, new Uint8Array(want!.buffer), build);
  }
});

describe("conv2d of few bits", () => {
  const cases = fc.record({
    coding: codings,
    size: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    pad: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    depth: fc.integer({ min: 8, max: 60 }),
    outC: fc.integer({ min: 1, max: 40 }),
    batch: fc.integer({ min: 1, max: 2 }),
    inZero: byte,
    groupSize: fc.option(fc.constantFrom(16, 32, 64), { nil: undefined }),
    asymmetric: fc.boolean(),
    extreme: fc.boolean(),
    seed: fc.integer(),
  });

  it("equals the reference on every build", () => {
    const seen = new Map<number, number>();
    fc.assert(
      fc.property(cases, (c) => {
        const { coding, outC, batch, asymmetric, extreme } = c;
        const random = new Random(c.seed);
        const [kernelH, kernelW] = c.kernel;
        const [dilationH, dilationW] = c.dilation;
        const [top, bottom, left, right] = c.pad;
        const [reachH, reachW] = [(kernelH - 1) * dilationH + 1, (kernelW - 1) * dilationW + 1];
        const [inH, inW] = [Math.max(c.size[0], reachH - top - bottom), Math.max(c.size[1], reachW - left - right)];
        const [strideH, strideW] = c.stride;
        const one = kernelH * kernelW === 1 && strideH * strideW === 1 && top + left + bottom + right === 0;
        const inC = one || random.integer(0, 3) === 0 ? c.depth : 4 * Math.ceil(c.depth / 4);
        const groupSize = coding === "int4" && (one || inC % 4 === 0) ? c.groupSize : undefined;
        const row = kernelW * inC;
        const scales = groupSize ? outC * kernelH * Math.ceil(row / groupSize) : outC;
        // groups start anew with a kernel row; with a dilated width rows are cut at every cell
        const dilated = groupSize !== undefined && dilationW > 1 && kernelW > 1 && inC % groupSize !== 0;
        if (dilated) return;
        const quant = quantOf(scales, random, asymmetric && coding === "int4", groupSize);
        const count = outC * kernelH * row;
        const weights = constant(
          "w",
          [outC, kernelH, kernelW, inC],
          "int8",
          values(coding, count, random, extreme),
          quant,
        );
        const outH = Math.floor((inH + top + bottom - reachH) / strideH) + 1;
        const outW = Math.floor((inW + left + right - reachW) / strideW) + 1;
        const padding = { top, bottom, left, right };
        const attrs = { strideH, strideW, dilationH, dilationW, padding, activation: "relu" } as const;
        const graph = singleNode(
          { op: "conv2d", attrs },
          [activation("x", [batch, inH, inW, inC], 0.05, c.inZero), { ...weights, coding }, biases(outC, random)],
          [activation("y", [batch, outH, outW, outC], 0.004 * Math.sqrt(kernelH * row), -20)],
        );
        const pixels = batch * inH * inW * inC;
        expectConformance(graph, [extreme ? ends(random, pixels) : random.int8(pixels)]);
        const kernel = kernelOf(graph);
        seen.set(kernel, (seen.get(kernel) ?? 0) + 1);
      }),
      { numRuns: 700, seed: 12 },
    );
    for (const kernel of [...Object.values(KERNELS), ConvKernel.Int4Groups])
      expect(seen.get(kernel), `${kernel}`).toBeGreaterThan(10);
  });
});
