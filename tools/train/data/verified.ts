// Reading data files whose content is known. Invariant: bytes that do not have the promised SHA-256 are refused, so
// a recipe always trains on the data that its card names.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolError } from "../../errors.ts";

/** The file's bytes; throws BAD_FILE when it is missing or is not what `sha256` says. */
export function readVerified(path: string, sha256?: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ToolError("BAD_FILE", `${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}.`, {
      cause,
    });
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== undefined && found !== sha256) {
    throw new ToolError(
      "BAD_FILE",
      `${path} has the SHA-256 ${found} but ${sha256} was expected; it is damaged or another version: fetch it again.`,
    );
  }
  return bytes;
}

/** The folder of a module, for reading files beside it. */
export const folderOf = (moduleUrl: string): string => dirname(fileURLToPath(moduleUrl));
