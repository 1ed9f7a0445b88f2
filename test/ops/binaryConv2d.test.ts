// binaryConv2d: every build equals the reference over random shapes, paddings and zero points, and long sums.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

interface Case {
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number, number, number];
  readonly inC: number;
  readonly outC: number;
  readonly batch: number;
  readonly inZero: number;
  readonly seed: number;
}

function graphOf({ kernel, stride, pad, inC, outC, batch, inZero, seed, size }: Case) {
  const random = new Random(seed);
  const [kernelH, kernelW] = kernel;
  const [top, bottom, left, right] = pad;
  const [inH, inW] = [Math.max(size[0], kernelH - top - bottom), Math.max(size[1], kernelW - left - right)];
  const outH = Math.floor((inH + top + bottom - kernelH) / stride[0]) + 1;
  const outW = Math.floor((inW + left + right - kernelW) / stride[1]) + 1;
  const count = outC * kernelH * kernelW * inC;
  const scales = Array.from({ length: outC }, () => random.real(0.01, 0.05));
  const signs = Int8Array.from({ length: count }, () => (random.integer(0, 1) ? 1 : -1));
  const weights = constant("w", [outC, kernelH, kernelW, inC], "int8", signs, quant(scales));
  const bias = Int32Array.from({ length: outC }, () => random.integer(-90, 90));
  const attrs = {
    strideH: stride[0],
    strideW: stride[1],
    padding: { top, bottom, left, right },
    activation: "none",
  } as const;
  const graph = singleNode(
    { op: "binaryConv2d", attrs },
    [
      activation("x", [batch, inH, inW, inC], 0.05, inZero),
      { ...weights, coding: "binary" },
      constant("b", [outC], "int32", bias),
    ],
    [activation("y", [batch, outH, outW, outC], 0.02 * Math.sqrt(count / outC), 3)],
  );
  return { graph, input: random.int8(batch * inH * inW * inC) };
}

const small = fc.integer({ min: 1, max: 3 });
const cases = fc.record({
  size: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  kernel: fc.tuple(small, small),
  stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  pad: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
  inC: fc.integer({ min: 1, max: 200 }),
  outC: fc.integer({ min: 1, max: 11 }),
  batch: fc.integer({ min: 1, max: 2 }),
  inZero: fc.integer({ min: -128, max: 127 }),
  seed: fc.integer(),
});

const one = { size: [1, 1], kernel: [1, 1], stride: [1, 1], pad: [0, 0, 0, 0], batch: 1, inZero: 0, seed: 3 } as const;

describe("binaryConv2d", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { graph, input } = graphOf(c);
        expectConformance(graph, [input]);
      }),
      { numRuns: 250, seed: 21 },
    );
  });

  it("counts past what a byte holds", () => {
    const { graph } = graphOf({ ...one, inC: 9000, outC: 3 });
    const signs = graph.tensors[1]!.data as Int8Array;
    expectConformance(graph, [signs.slice(0, 9000).map((sign) => -sign)]);
    expectConformance(graph, [signs.slice(0, 9000)]);
  });

  it("refuses weights that are not binary, and channels that do not fit", () => {
    const { graph } = graphOf({ ...one, inC: 8, outC: 2 });
    const plain = { ...graph, tensors: graph.tensors.map(({ coding, ...tensor }) => tensor) };
    expect(() => validateGraph(plain)).toThrow("expected binary ones of as many channels");
    const zero = { ...graph, tensors: [...graph.tensors] };
    zero.tensors[1] = { ...graph.tensors[1]!, data: new Int8Array(16) };
    expect(() => validateGraph(zero)).toThrow("have the value 0, expected -1 and 1");
  });
});
