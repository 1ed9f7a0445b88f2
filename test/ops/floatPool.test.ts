// floatPool: maximum, average and place of the maximum over any window, on every build.

import fc from "fast-check";
import { describe, it } from "vitest";
import type { Triple } from "../../tools/graph/graph.ts";
import { windowOut } from "../../tools/ops/window3.ts";
import { conforms, plain } from "../support/floatCases.ts";

describe("floatPool", () => {
  it("equals the reference on every build", () => {
    const size = fc.integer({ min: 2, max: 7 });
    const small = fc.integer({ min: 1, max: 3 });
    const arbitrary = fc.record({
      kind: fc.constantFrom("max" as const, "average" as const, "argMax" as const),
      size: fc.tuple(size, size, size),
      kernel: fc.tuple(small, small, small),
      stride: fc.tuple(small, small, small),
      dilation: fc.integer({ min: 1, max: 2 }),
      channels: fc.integer({ min: 1, max: 9 }),
      before: fc.integer({ min: 0, max: 1 }),
      after: fc.integer({ min: 0, max: 1 }),
      countPad: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(
        arbitrary,
        ({ kind, size: input, kernel, stride, dilation, channels, before, after, countPad, seed }) => {
          // a window of padding alone has no maximum
          const pad: Triple = kernel.map((cells) => (cells > 1 ? before : 0)) as unknown as Triple;
          const padAfter: Triple = kernel.map((cells) => (cells > 1 ? after : 0)) as unknown as Triple;
          const window = { stride, dilation: [dilation, 1, dilation] as Triple, pad, padAfter };
          const out = windowOut(input, kernel, window);
          if (out.some((cells) => cells < 1)) return;
          const attrs = { ...window, kind, kernel, countPad, out };
          conforms(
            { op: "floatPool", attrs },
            [plain("x", [2, ...input, channels])],
            [plain("y", [2, ...out, channels], kind === "argMax" ? "int32" : "float32")],
            seed,
          );
        },
      ),
      { numRuns: 80, seed: 7 },
    );
  });
});
