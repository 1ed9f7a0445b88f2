// lstm: every build equals the reference over lengths, units, directions, layouts and formats of the state.

import fc from "fast-check";
import { describe, it } from "vitest";
import { expectConformance } from "../support/conformance.ts";
import { recurrentCases, recurrentGraph } from "../support/recurrentCases.ts";

describe("lstm", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(recurrentCases, (c) => {
        const { graph, inputs } = recurrentGraph("lstm", c);
        expectConformance(graph, inputs);
      }),
      { numRuns: 300, seed: 60 },
    );
  });
});
