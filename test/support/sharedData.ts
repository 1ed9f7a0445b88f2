// Where the golden models and data are, if they are there: beside the project, not part of it.
// Invariant: imports nothing of vitest, so that its reporter (tally.ts) can ask too.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** The folder's path; undefined when it is absent. */
export const sharedData: string | undefined = existsSync(folder) ? folder : undefined;
