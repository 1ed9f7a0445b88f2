// floatRecurrent: GRU, LSTM and RNN of any size, direction and lengths equal the reference on every build.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { conforms, plain, weights } from "../support/floatCases.ts";
import { singleNode } from "../support/graphs.ts";

const GATES = { gruResetBefore: 3, gruResetAfter: 3, lstm: 4, rnn: 1 } as const;
const fns = { gateFn: "sigmoid", candidateFn: "tanh", outputFn: "tanh", alpha: 0, cellClip: 0 } as const;

describe("floatRecurrent", () => {
  it.each(["gruResetBefore", "gruResetAfter", "lstm", "rnn"] as const)("%s equals the reference", (kind) => {
    const arbitrary = fc.record({
      steps: fc.integer({ min: 1, max: 5 }),
      batch: fc.integer({ min: 1, max: 3 }),
      inputs: fc.integer({ min: 1, max: 9 }),
      units: fc.integer({ min: 1, max: 35 }),
      bias: fc.boolean(),
      state: fc.boolean(),
      peepholes: fc.boolean(),
      reverse: fc.boolean(),
      lengths: fc.boolean(),
      cellClip: fc.constantFrom(0, 0.3),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(
        arbitrary,
        ({ steps, batch, inputs, units, bias, state, peepholes, reverse, lengths, cellClip, seed }) => {
          const rows = GATES[kind] * units;
          const lstm = kind === "lstm";
          const given = [
            plain("x", [steps, batch, inputs]),
            weights("w", [rows, inputs], seed),
            weights("r", [rows, units], seed + 1),
            bias ? weights("b", [2, rows], seed + 2) : undefined,
            state ? plain("h", [batch, units]) : undefined,
            state && lstm ? plain("c", [batch, units]) : undefined,
            peepholes && lstm ? weights("p", [3, units], seed + 3) : undefined,
          ];
          const last = [plain("hn", [batch, units]), ...(lstm ? [plain("cn", [batch, units])] : [])];
          const own = lengths ? Array.from({ length: batch }, (_, b) => (b * 3) % (steps + 1)) : [];
          conforms(
            { op: "floatRecurrent", attrs: { kind, reverse, lengths: own, ...fns, cellClip } },
            given,
            [plain("y", [steps, batch, units]), ...last],
            seed,
            1,
          );
        },
      ),
      { numRuns: 25, seed: 9 },
    );
  });

  it("refuses recurrent weights of another shape", () => {
    const inputs = [plain("x", [2, 1, 3]), weights("w", [4, 3], 1), weights("r", [5, 4], 1)];
    const graph = singleNode(
      { op: "floatRecurrent", attrs: { kind: "rnn", reverse: false, lengths: [], ...fns } },
      inputs,
      [plain("y", [2, 1, 4]), plain("h", [1, 4])],
    );
    expect(() => validateGraph(graph)).toThrow(/"r" is \[5,4\] but must be \[4,4\]/);
  });
});
