// floatNorm: layer and RMS norm equal the reference on every build.

import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { conforms, plain, weights } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

describe("floatNorm", () => {
  it.each([false, true])("rms %s", (rms) => {
    for (const shape of [[1], [3, 5], [2, 3, 33]]) {
      const depth = [shape.at(-1)!];
      const { outputs } = conforms(
        { op: "floatNorm", attrs: { epsilon: 1e-5, rms } },
        [plain("x", shape), weights("g", depth, 1), weights("s", depth, 2)],
        [plain("y", shape)],
        4,
      );
      expect((outputs[0] as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });

  it("refuses a gain of another size", () => {
    const graph = singleNode(
      { op: "floatNorm", attrs: { epsilon: 1, rms: false } },
      [plain("x", [2, 3]), weights("g", [2], 1), weights("s", [3], 1)],
      [plain("y", [2, 3])],
    );
    expect(() => validateGraph(graph)).toThrow(/the gain \[2\] must be one value/);
  });
});
