// Where the engines are that install.mjs installs, or that a person has. Invariant: imports nothing of vitest, so
// that its reporter (test/support/tally.ts) can ask too; finding starts no engine.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What install.mjs fills; ignored by git. */
export const ENGINES = fileURLToPath(new URL("../../.engines/", import.meta.url));

/** The path of the first of `names` that is installed here or in PATH. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [join(ENGINES, "bin"), join(ENGINES, "python/bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** A file of a package that install.mjs installed; undefined when the package is absent. */
export function findPackage(name: string): string | undefined {
  try {
    return createRequire(join(ENGINES, "package.json")).resolve(name);
  } catch {
    return undefined;
  }
}

const SKIPS = /^(\S+) is absent: node test\/engines\/install\.mjs \1$/;

/** Why a test is skipped where `engine`, a name of install.mjs, is not installed. */
export const absent = (engine: string): string => `${engine} is absent: node test/engines/install.mjs ${engine}`;

/** Whether `reason` is that of `absent` for an engine that install.mjs has not installed. */
export function isAbsent(reason: string): boolean {
  const [, engine] = SKIPS.exec(reason) ?? [];
  const record = join(ENGINES, "installed.json");
  const installed = existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as string[]) : [];
  return engine !== undefined && !installed.includes(engine);
}
