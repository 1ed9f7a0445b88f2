// sub: every build equals the reference, and the order of the inputs matters.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryCases, binaryGraph } from "../support/binaryCases.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";

describe("sub", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(binaryCases, (c) => {
        const { graph, inputs } = binaryGraph("sub", c, (a, b) => Math.max(a, b) * 1.3);
        expectConformance(graph, inputs);
      }),
      { numRuns: 150, seed: 21 },
    );
  });

  it("takes the second input from the first", () => {
    const graph = singleNode(
      { op: "sub", attrs: { activation: "none" } },
      [activation("a", [3], 1, 10), activation("b", [3], 2, -5)],
      [activation("y", [3], 1, 1)],
    );
    // real: 0 − 10, 90 − 0, −138 − 264
    const [y] = expectConformance(graph, [Int8Array.of(10, 100, -128), Int8Array.of(0, -5, 127)]);
    expect([...y!]).toEqual([-9, 91, -128]);
  });
});
