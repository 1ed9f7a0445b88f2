// Tests that need an engine which may be absent. Invariant: without it the group is one skipped test, whose reason
// tally.ts prints.
import { describe, it } from "vitest";

/** A `describe` that is skipped when there is a `reason`, e.g. of `workerdAbsent`. */
export function describeEngine(name: string, reason: string | undefined, run: () => void): void {
  describe(name, () => {
    if (reason === undefined) run();
    else it("needs its engine", ({ skip }) => skip(reason));
  });
}

/** The same for each of several, `absent` giving the reason. */
describeEngine.each = <Name extends string>(
  names: readonly Name[],
  absent: (name: Name) => string | undefined,
  run: (name: Name) => void,
): void => {
  for (const name of names) describeEngine(name, absent(name), () => run(name));
};
