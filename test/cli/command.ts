// Runs the built command line as a person does: a child process, its exit status and what it printed.
// Invariant: `npm run build` has made dist; nothing is written but inside the folder that `folder` gives.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const MAIN = fileURLToPath(new URL("../../dist/tools/cli/main.js", import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function mote(...words: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...words], (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** A folder of this test file's own, gone afterwards. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "mote-cli-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
