// resample: any axis and taps equal the reference on every build.

import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { conforms, integers, plain, reals } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

describe("resample", () => {
  it.each([
    [[5], 0, 3, 1],
    [[2, 4, 3], 1, 7, 2],
    [[3, 2, 6], 2, 4, 4],
  ])("[%s] along axis %i to %i by %i taps", (shape, axis, to, taps) => {
    const attrs = {
      axis,
      taps,
      bias: [...reals(to, 1)],
      indices: [...integers(to * taps, 2, 0, shape[axis]! - 1)],
      weights: [...reals(to * taps, 3)],
    };
    conforms(
      { op: "resample", attrs },
      [plain("x", shape)],
      [
        plain(
          "y",
          shape.map((size, i) => (i === axis ? to : size)),
        ),
      ],
      4,
    );
  });

  it("refuses a place outside the axis", () => {
    const attrs = { axis: 0, taps: 1, bias: [0], indices: [3], weights: [1] };
    const graph = singleNode({ op: "resample", attrs }, [plain("x", [3])], [plain("y", [1])]);
    expect(() => validateGraph(graph)).toThrow(/do not resample axis 0/);
  });
});
