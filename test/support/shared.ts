// The golden models and data beside the project, which are not part of it: tests that need them go
// through here. Invariant: without them every such test is skipped, and one line says so.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const folder = fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** The folder's path; undefined when it is absent. */
export const sharedData: string | undefined = existsSync(folder) ? folder : undefined;

/** A `describe` that is skipped, with a printed reason, when the shared data is absent. */
export function describeShared(name: string, run: (data: string) => void): void {
  if (sharedData === undefined) console.log(`skipped: ../shared/data is absent (${name})`);
  describe.skipIf(sharedData === undefined)(name, () => {
    if (sharedData !== undefined) run(sharedData);
  });
}
