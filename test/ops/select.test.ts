// select: a or b by a condition, with every broadcast, on every build.

import { describe, it } from "vitest";
import { conforms, plain } from "../support/floatCases.ts";

describe("select", () => {
  it.each([
    [[4], [4], [4], [4]],
    [[3, 1], [1, 5], [1], [3, 5]],
    [[1], [2, 3, 4], [3, 1], [2, 3, 4]],
    [[2, 1, 4], [1], [2, 3, 1], [2, 3, 4]],
  ])("[%s] ? [%s] : [%s]", (condition, a, b, out) => {
    for (const dtype of ["float32", "int32"] as const) {
      conforms(
        { op: "select", attrs: {} },
        [plain("c", condition, "int32"), plain("a", a, dtype), plain("b", b, dtype)],
        [plain("y", out, dtype)],
        3,
      );
    }
  });
});
