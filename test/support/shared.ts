// Tests that need the golden models and data beside the project go through here. Invariant: without
// the data every such group is one skipped test, whose reason tally.ts prints.
import { describe, it } from "vitest";
import { sharedData } from "./sharedData.ts";

export { sharedData } from "./sharedData.ts";

/** A `describe` that is skipped, with its reason, when the shared data is absent. */
export function describeShared(name: string, run: (data: string) => void): void {
  describe(name, () => {
    if (sharedData !== undefined) run(sharedData);
    else it("needs the shared data", ({ skip }) => skip("../shared/data is absent"));
  });
}
