// Two things that tiles of many pixels do without the operator's knowledge: they leave out a clamp where no scaled sum can come
// near the end of what rounding by addition holds, and they take weights widened to int16 where the plan has room for
// them. Every build equals the reference on both sides of each.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";
import { windowOf } from "../support/windows.ts";

interface Layer {
  readonly depthwise: boolean;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outC: number;
  readonly kernel: number;
  readonly stride: number;
  /** the most that a weight is, of 127 */
  readonly most: number;
  readonly outScale: number;
  readonly seed: number;
}

const size = (min: number, max: number) => fc.integer({ min, max });
const shape = {
  depthwise: fc.boolean(),
  inC: fc.constantFrom(1, 3, 8, 12),
  outC: size(1, 20),
  kernel: size(1, 3),
  stride: size(1, 2),
  most: fc.constantFrom(63, 127),
  seed: fc.integer(),
};

function layerGraph(c: Layer): Graph {
  const random = new Random(c.seed);
  const { depthwise, inC, kernel, stride } = c;
  const steps = { kernelH: kernel, kernelW: kernel, strideH: stride, strideW: stride, dilationH: 1, dilationW: 1 };
  const { inH, inW, padding, outH, outW } = windowOf({ ...c, ...steps, pad: 0 });
  const outC = depthwise ? inC : c.outC;
  const cells = kernel * kernel * (depthwise ? 1 : inC);
  const scales = quant(
    Array.from({ length: outC }, () => random.real(0.001, 0.02)),
    0,
    depthwise ? 3 : 0,
  );
  const weights = random.int8(outC * cells, -c.most, c.most);
  const bias = Int32Array.from({ length: outC }, () => random.integer(-9000, 9000));
  const attrs = { ...steps, padding, activation: "none" as const, multiplier: 1 };
  return singleNode(
    depthwise ? { op: "depthwiseConv2d", attrs } : { op: "conv2d", attrs },
    [
      activation("x", [1, inH, inW, inC], 0.05, random.integer(-128, 127)),
      constant("w", depthwise ? [1, kernel, kernel, outC] : [outC, kernel, kernel, inC], "int8", weights, scales),
      constant("b", [outC], "int32", bias),
    ],
    [activation("y", [1, outH, outW, outC], c.outScale, random.integer(-128, 127))],
  );
}

const inputOf = (graph: Graph, seed: number): Int8Array =>
  new Random(seed).int8(graph.tensors[0]!.shape.reduce((a, b) => a * b));

describe("scaled sums far outside int8", () => {
  it("come out as the reference's on every build", () => {
    const far = { inH: size(1, 6), inW: size(4, 12), power: fc.double({ min: 0, max: 9, noNaN: true }) };
    fc.assert(
      fc.property(fc.record({ ...shape, ...far }), ({ power, ...c }) => {
        const graph = layerGraph({ ...c, outScale: 0.1 / 10 ** power });
        expectConformance(graph, [inputOf(graph, c.seed)]);
      }),
      { numRuns: 250, seed: 31 },
    );
  });

  it.each([
    [false, 1, 63],
    [false, 1, 127],
    [false, 2, 63],
    [false, 2, 127],
    [true, 2, 127],
    [true, 3, 127],
  ])("do so where their bits wrap: depthwise %s, kernel %i, weights to %i", (depthwise, kernel, most) => {
    const one = { depthwise, kernel, most, inH: 6, inW: 9, inC: 8, outC: 8, stride: 1, seed: 1 };
    const graph = layerGraph({ ...one, outScale: 1 });
    const [x, w, b, y] = graph.tensors as [Graph["tensors"][0], ...Graph["tensors"]];
    (b!.data as Int32Array).fill(-1000);
    Object.assign(x, { quant: quant(1) });
    Object.assign(w!, {
      quant: quant(
        Array.from(w!.quant!.scale, () => 1),
        0,
        w!.quant!.axis,
      ),
    });
    // −1000 · 18000 lies between −25165824 and −12582912
    Object.assign(y!, { quant: quant(1 / 18000) });
    expectConformance(graph, [inputOf(graph, 1).fill(0)]);
  });
});

describe("weights widened in the arena", () => {
  const large = { inH: size(10, 16), inW: size(10, 16) };
  const roomOf = (graph: Graph): number => {
    const [step] = buildImage(graph).lowered.steps;
    return step!.scratchBytes! - (step!.roomBytes ?? Number.POSITIVE_INFINITY);
  };

  it("give the reference's bytes", () => {
    let roomy = 0;
    fc.assert(
      fc.property(fc.record({ ...shape, ...large }), (c) => {
        const graph = layerGraph({ ...c, depthwise: false, outScale: 0.05 });
        if (roomOf(graph) >= 0) roomy++;
        expectConformance(graph, [inputOf(graph, c.seed)]);
      }),
      { numRuns: 100, seed: 32 },
    );
    expect(roomy).toBeGreaterThan(20);
  });

  it("cost no memory that the model would not need anyway, but a hundredth", () => {
    const graph = layerGraph({
      depthwise: false,
      inH: 12,
      inW: 12,
      inC: 12,
      outC: 20,
      kernel: 3,
      stride: 1,
      most: 127,
      outScale: 0.05,
      seed: 4,
    });
    const step = buildImage(graph).lowered.steps[0]!;
    expect(step.roomBytes!).toBeGreaterThan(step.scratchBytes!);
  });

  it.each(BUILDS)("stay inside the memory on the %s build, whatever the plan says", (build) => {
    const graph = layerGraph({
      depthwise: false,
      inH: 50,
      inW: 50,
      inC: 4,
      outC: 4,
      kernel: 1,
      stride: 1,
      most: 127,
      outScale: 0.05,
      seed: 5,
    });
    expect(roomOf(graph)).toBeGreaterThanOrEqual(0);
    expect(expectContained(build, graph, 1500, 33)).toBeGreaterThan(50);
  });
});
