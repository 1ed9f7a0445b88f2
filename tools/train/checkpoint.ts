// What a training run needs to go on bit for bit: weights, optimizer state, best weights, averages, and the numbers
// around them. Invariant: the file is written under a temporary name, flushed and renamed, so whatever moment the
// machine stops at, the last whole checkpoint is there; a damaged one is refused by its checksum.
//
//   ├ "MOTETRN1" ┼ SHA-256 of all that follows, 32 B ┼ u32 json bytes ┼ json ┼ float32 arrays, in the json's order ┤

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { ToolError } from "../errors.ts";
import type { ParameterSet } from "./trace.ts";

const MAGIC = "MOTETRN1";

export interface Checkpoint {
  /** must be that of the run that resumes: options, shapes, seed, data */
  readonly fingerprint: string;
  /** plain data */
  readonly progress: unknown;
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

/** Writes `parts` to `path` whole or not at all. Throws BAD_FILE naming the path when the disk refuses. */
export function writeWhole(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w");
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError("BAD_FILE", `${path} could not be written: ${reason}; what was there before is unharmed.`, {
      cause,
    });
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export function writeCheckpoint(path: string, { fingerprint, progress, arrays }: Checkpoint): void {
  const lengths = Object.entries(arrays).map(([name, { length }]) => [name, length]);
  const json = Buffer.from(JSON.stringify({ fingerprint, progress, arrays: lengths }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(json.length);
  const body = [size, json, ...Object.values(arrays).map(bytesOf)];
  const hash = createHash("sha256");
  for (const part of body) hash.update(part);
  writeWhole(path, [Buffer.from(MAGIC), hash.digest(), ...body]);
}

/** Throws BAD_FILE where the file is no whole checkpoint. */
export function readCheckpoint(path: string): Checkpoint {
  const damaged = (what: string): ToolError =>
    new ToolError("BAD_FILE", `${path} ${what}; delete it to train from the start.`);
  const bytes = readFileSync(path);
  if (bytes.length < 44 || bytes.toString("latin1", 0, 8) !== MAGIC) throw damaged("is no checkpoint of mote train");
  const body = bytes.subarray(40);
  if (!createHash("sha256").update(body).digest().equals(bytes.subarray(8, 40)))
    throw damaged("is damaged: its checksum does not fit");
  const jsonBytes = body.readUInt32LE(0);
  const {
    fingerprint,
    progress,
    arrays: lengths,
  } = JSON.parse(body.toString("utf8", 4, 4 + jsonBytes)) as {
    fingerprint: string;
    progress: unknown;
    arrays: [string, number][];
  };
  const arrays: Record<string, Float32Array> = {};
  let at = 4 + jsonBytes;
  for (const [name, length] of lengths) {
    // copied, as the bytes may lie at any address
    arrays[name] = new Float32Array(Uint8Array.from(body.subarray(at, at + length * 4)).buffer);
    at += length * 4;
  }
  return { fingerprint, progress, arrays };
}

/** Every parameter's values by name, as a file of the same form. */
export function writeWeights(path: string, { all }: ParameterSet): void {
  const arrays = Object.fromEntries(all.map(({ name, data }) => [name, data]));
  writeCheckpoint(path, { fingerprint: "weights", progress: all.map(({ name, shape }) => [name, shape]), arrays });
}

/** Weights by parameter name, for `Recipe.initial`. Throws BAD_FILE. */
export const readWeights = (path: string): ReadonlyMap<string, Float32Array> =>
  new Map(Object.entries(readCheckpoint(path).arrays));
