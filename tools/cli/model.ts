// Opens the .mote file of a command. Invariant: every MoteError about the file names it.

import { type LoadOptions, loadModel, type Model, MoteError } from "../../host/targets/node.ts";
import { readInput } from "./files.ts";

export interface OpenModel {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly model: Model;
}

/** Runs `work`, and puts `path` in front of what it says about the file. */
export async function naming<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof MoteError)) throw cause;
    throw new MoteError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

export async function openModel(path: string, options: LoadOptions = {}): Promise<OpenModel> {
  const bytes = await readInput(path);
  return { path, bytes, model: await naming(path, () => loadModel(bytes, options)) };
}
