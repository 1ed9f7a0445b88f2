// floatSoftmax: every build equals the reference; rows sum to 1; a masked row is all zeros.

import { describe, expect, it } from "vitest";
import { expectConformance } from "../support/conformance.ts";
import { conforms, plain } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

describe("floatSoftmax", () => {
  it.each([[1], [2, 3], [4, 17], [2, 3, 64]])("of [%s, %s, %s]", (...sizes) => {
    const shape = sizes.filter((size) => size !== undefined);
    const { outputs } = conforms(
      { op: "floatSoftmax", attrs: { log: false } },
      [plain("x", shape)],
      [plain("y", shape)],
      8,
      30,
    );
    const row = Array.from(outputs[0] as Float32Array).slice(-shape.at(-1)!);
    expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    conforms({ op: "floatSoftmax", attrs: { log: true } }, [plain("x", shape)], [plain("y", shape)], 8, 30);
  });

  it("gives zeros for a row of −∞, and takes large numbers", () => {
    const graph = singleNode({ op: "floatSoftmax", attrs: { log: false } }, [plain("x", [2, 3])], [plain("y", [2, 3])]);
    const [y] = expectConformance(graph, [Float32Array.of(-Infinity, -Infinity, -Infinity, 1e4, 1e4, -1e30)]);
    expect([...(y as Float32Array)]).toEqual([0, 0, 0, 0.5, 0.5, 0]);
  });
});
