// Random windows for the pools' tests. Invariant: every window has a cell inside the input.

import fc from "fast-check";
import type { Activation, Graph, TensorData } from "../../tools/graph/graph.ts";
import { activation, singleNode } from "./graphs.ts";
import { Random } from "./random.ts";

const small = (max: number) => fc.integer({ min: 1, max });

export const poolCases = fc.record({
  batch: small(2),
  inH: small(9),
  inW: fc.oneof(small(9), fc.constantFrom(40, 300)),
  channels: fc.oneof(small(40), fc.constantFrom(1, 15, 16, 17, 64)),
  kernelH: small(5),
  kernelW: fc.oneof(small(5), fc.constant(290)),
  strideH: small(3),
  strideW: small(3),
  pad: fc.integer({ min: 0, max: 9 }),
  whole: fc.boolean(),
  zero: fc.integer({ min: -128, max: 127 }),
  activation: fc.constantFrom<Activation>("none", "none", "relu", "relu6"),
  unsigned: fc.boolean(),
  // Extremes alone find sums that overflow.
  fill: fc.constantFrom(undefined, undefined, -128, 127),
  seed: fc.integer(),
});
export type PoolCase = typeof poolCases extends fc.Arbitrary<infer T> ? T : never;

export function poolGraph(op: "averagePool2d" | "maxPool2d", c: PoolCase): { graph: Graph; input: TensorData } {
  const kernelH = c.whole ? c.inH : Math.min(c.kernelH, c.inH);
  const kernelW = c.whole ? c.inW : Math.min(c.kernelW, c.inW);
  const padding = c.whole
    ? { top: 0, bottom: 0, left: 0, right: 0 }
    : {
        top: c.pad % kernelH,
        bottom: (c.pad * 3) % kernelH,
        left: (c.pad * 5) % kernelW,
        right: (c.pad * 7) % kernelW,
      };
  const outH = Math.floor((c.inH + padding.top + padding.bottom - kernelH) / c.strideH) + 1;
  const outW = Math.floor((c.inW + padding.left + padding.right - kernelW) / c.strideW) + 1;
  const count = c.batch * c.inH * c.inW * c.channels;
  return {
    graph: singleNode(
      {
        op,
        attrs: {
          kernelH,
          kernelW,
          strideH: c.strideH,
          strideW: c.strideW,
          padding,
          activation: c.activation,
          ...(op === "averagePool2d" && { unsigned: c.unsigned }),
        },
      },
      [activation("x", [c.batch, c.inH, c.inW, c.channels], 0.05, c.zero)],
      [activation("y", [c.batch, outH, outW, c.channels], 0.05, c.zero)],
    ),
    input: c.fill === undefined ? new Random(c.seed).int8(count) : new Int8Array(count).fill(c.fill),
  };
}
