// floatConv: any window, groups and channels, one to three spatial axes, on every build.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Triple } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { windowOut } from "../../tools/ops/window3.ts";
import { conforms, plain, weights } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

const three = (least: number, most: number) =>
  fc.tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: least, max: most }),
    fc.integer({ min: least, max: most }),
  );

describe("floatConv", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      size: three(4, 9),
      kernel: three(1, 3),
      stride: three(1, 2),
      pads: fc.integer({ min: 0, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      groups: fc.integer({ min: 1, max: 9 }),
      perGroup: fc.integer({ min: 1, max: 3 }),
      perOut: fc.integer({ min: 1, max: 9 }),
      bias: fc.boolean(),
      relu: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(
        arbitrary,
        ({ batch, size, kernel, stride, pads, dilation, groups, perGroup, perOut, bias, relu, seed }) => {
          const pad: Triple = [0, pads, pads];
          const window = { stride, dilation: [1, dilation, 1] as Triple, pad, padAfter: pad };
          const depth: Triple = [Math.max(size[0], kernel[0]), size[1], size[2]];
          const out = windowOut(depth, kernel, window);
          if (out.some((cells) => cells < 1)) return;
          const outC = groups * perOut;
          const attrs = { ...window, groups, min: relu ? 0 : Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
          const inputs = [
            plain("x", [batch, ...depth, groups * perGroup]),
            weights("w", [outC, ...kernel, perGroup], seed),
            ...(bias ? [weights("b", [outC], seed)] : []),
          ];
          conforms({ op: "floatConv", attrs }, inputs, [plain("y", [batch, ...out, outC])], seed);
        },
      ),
      { numRuns: 60, seed: 6 },
    );
  });

  it("takes rows of more pixels than its scratch holds", () => {
    const attrs = {
      stride: [1, 1, 1],
      dilation: [1, 1, 1],
      pad: [0, 0, 1],
      padAfter: [0, 0, 1],
      groups: 1,
      min: -1,
      max: 1,
    } as const;
    conforms(
      { op: "floatConv", attrs },
      [plain("x", [1, 1, 1, 150, 3]), weights("w", [10, 1, 1, 3, 3], 1)],
      [plain("y", [1, 1, 1, 150, 10])],
      2,
    );
  });

  it("refuses groups that do not divide the channels", () => {
    const attrs = {
      stride: [1, 1, 1],
      dilation: [1, 1, 1],
      pad: [0, 0, 0],
      padAfter: [0, 0, 0],
      groups: 2,
      min: -1,
      max: 1,
    } as const;
    const graph = singleNode(
      { op: "floatConv", attrs },
      [plain("x", [1, 1, 3, 3, 3]), weights("w", [4, 1, 1, 1, 3], 1)],
      [plain("y", [1, 1, 3, 3, 4])],
    );
    expect(() => validateGraph(graph)).toThrow(/2 groups of weights/);
  });
});
