// Pruning in groups: what is zeroed, how much of it, and that the sparse kernels then leave it out.

import { describe, expect, it } from "vitest";
import type { Graph } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { pruneGroups } from "../../tools/prune/groups.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const random = new Random(5);
const scales = (count: number): number[] => Array.from({ length: count }, () => random.real(0.001, 0.02));

function dense(rows: number, inC: number, outC: number): Graph {
  return singleNode(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [
      activation("x", [rows, inC], 0.05, 3),
      constant("w", [outC, inC], "int8", random.int8(outC * inC, -127), quant(scales(outC))),
      constant("b", [outC], "int32", new Int32Array(outC).fill(100)),
    ],
    [activation("y", [rows, outC], 1, -4)],
  );
}

const padding = { top: 1, bottom: 1, left: 1, right: 1 };
function conv(inC: number, outC: number): Graph {
  const attrs = { strideH: 2, strideW: 2, dilationH: 1, dilationW: 1, padding, activation: "none" } as const;
  return singleNode(
    { op: "conv2d", attrs },
    [
      activation("x", [1, 16, 16, inC], 0.05, 3),
      constant("w", [outC, 3, 3, inC], "int8", random.int8(outC * 9 * inC, -127), quant(scales(outC))),
      undefined,
    ],
    [activation("y", [1, 8, 8, outC], 1, -4)],
  );
}

const weightsOf = (graph: Graph): Int8Array => graph.tensors[graph.nodes[0]!.inputs[1]!]!.data as Int8Array;

/** Σ (w·scale)² of the group at output n and input k of [outputs][inputs]. */
function magnitude(graph: Graph, n: number, k: number): number {
  const weights = graph.tensors[1]!;
  const [outC] = weights.shape as [number];
  const inC = weights.data!.length / outC;
  let sum = 0;
  for (let o = n; o < Math.min(n + 8, outC); o++) {
    for (let i = k; i < Math.min(k + 4, inC); i++) {
      sum += (Number(weights.data![o * inC + i]) * weights.quant!.scale[o]!) ** 2;
    }
  }
  return sum;
}

describe("pruning in groups", () => {
  it("zeroes the groups of least magnitude, and only those", () => {
    const graph = dense(4, 40, 24);
    const before = weightsOf(graph);
    const after = weightsOf(pruneGroups(graph, 0.5));
    const kept: number[] = [];
    const gone: number[] = [];
    for (let n = 0; n < 24; n += 8) {
      for (let k = 0; k < 40; k += 4) {
        const cells = Array.from({ length: 32 }, (_, i) => (n + (i >> 2)) * 40 + k + (i & 3));
        const isZero = cells.every((cell) => after[cell] === 0);
        if (!isZero) expect(cells.map((cell) => after[cell])).toEqual(cells.map((cell) => before[cell]));
        (isZero ? gone : kept).push(magnitude(graph, n, k));
      }
    }
    expect(gone).toHaveLength(15);
    expect(Math.max(...gone)).toBeLessThan(Math.min(...kept));
    expect(weightsOf(graph)).toBe(before);
  });

  it("leaves a layer alone that is given no part, and refuses a part that is none", () => {
    const graph = dense(1, 8, 8);
    expect(weightsOf(pruneGroups(graph, () => undefined))).toBe(weightsOf(graph));
    expect(() => pruneGroups(graph, 1.5)).toThrow("the part of zeros is 1.5, expected 0 … 1");
  });

  it.each([
    ["fullyConnected", dense(40, 128, 64)],
    ["one row", dense(1, 256, 64)],
    ["3×3 convolution", conv(64, 64)],
  ])("makes %s sparse, with the bytes of the reference, and smaller", (_, graph) => {
    const pruned = pruneGroups(graph, 0.75);
    const [step] = buildImage(pruned).lowered.steps;
    expect(step!.kernelName).toMatch(/sparse s8: 75 % of its groups are zero, sparse × \d\.\d\d$/);
    const [whole] = buildImage(graph).lowered.params;
    const [part] = buildImage(pruned).lowered.params;
    expect(part!.length).toBeLessThan(0.35 * whole!.length);
    expectConformance(pruned, [random.int8(graph.tensors[0]!.shape.reduce((a, b) => a * b))]);
  });

  it("keeps dense what zeros do not make faster, and says why", () => {
    const [few] = buildImage(pruneGroups(conv(64, 64), 0.1)).lowered.steps;
    expect(few!.kernelName).toMatch(/^rows gemm 4×8 s8: 10 % of its groups are zero, sparse × 0\.\d\d$/);
    const [none] = buildImage(conv(64, 64)).lowered.steps;
    expect(none!.kernelName).toBe("rows gemm 4×8 s8");
  });

  it("is a choice of weights: sparse:0.75, and with int4 in nibbles", () => {
    const graph = dense(12, 96, 48);
    const kernel = (choice: string): string => {
      const recoded = recodeWeights(graph, { default: parseWeights(choice, "--weights"), layers: [] });
      expectConformance(recoded, [random.int8(12 * 96)]);
      return buildImage(recoded).lowered.steps[0]!.kernelName;
    };
    expect(kernel("sparse:0.75")).toContain("sparse s8: 75 %");
    expect(kernel("int8+sparse:0.75")).toContain("sparse s8: 75 %");
    expect(kernel("int4+sparse:.75")).toContain("sparse s4: 75 %");
    for (const bad of ["sparse", "sparse:1", "sparse:75", "binary+sparse:0.5", "int4:g32+sparse:0.5", "int4+"]) {
      expect(() => parseWeights(bad, "--weights")).toThrow(`--weights is "${bad}", expected keep`);
    }
  });
});
