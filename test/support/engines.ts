// A newer Node than the one that runs the tests, for what this one lacks. `.ci/run` installs it; by hand:
//   node test/engines/install.mjs node24
// Invariant: imports nothing of vitest.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PLACES = [
  at(`.engines/node_modules/node-${process.platform}-${process.arch}/bin/node`),
  // the bench's
  at(".bench/node_modules/node/bin/node"),
];

/** The program's path; undefined when none is here. */
export const newerNode: string | undefined = PLACES.find((path) => existsSync(path));
