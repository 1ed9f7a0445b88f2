// Reading and writing the files that a person names. Invariant: every failure of the file system is a
// ToolError whose sentence names the path as it was given; a file is written whole or not at all.

import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ToolError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "it exists and is not a folder",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open",
};

/** A file-system error as a sentence; anything else stays what it is. */
export function fileError(what: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  const code = String(cause.code);
  return new ToolError("BAD_FILE", `${what}: ${REASONS[code] ?? code}.`, { cause });
}

export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw fileError(`${path} cannot be read`, cause);
  }
}

/** Writes beside `path` first and then renames, so that a reader sees the old file or the new one, whole. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(`${path} cannot be written`, cause);
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw fileError(`The folder ${path} cannot be made`, cause);
  }
}
