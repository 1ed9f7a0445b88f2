// Tests that need an engine which may be absent. Invariant: without it the group is one skipped test, whose reason
// tally.ts prints.
import { describe, it } from "vitest";

/** A `describe` that is skipped when there is a `reason`, e.g. of `browserAbsent`. */
export function describeEngine(name: string, reason: string | undefined, run: () => void): void {
  describe(name, () => {
    if (reason === undefined) run();
    else it("needs its engine", ({ skip }) => skip(reason));
  });
}
