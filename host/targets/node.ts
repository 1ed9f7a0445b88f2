/**
 * `mote-runtime/node`: the runtime with models and cores read from files.
 *
 * ```ts
 * const model = await loadModel("models/digits/digits.mote");
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { CoreSource } from "../core.ts";
import { MoteError } from "../errors.ts";
import { type LoadOptions, loadModelWith, type Model } from "../model.ts";
import type { ModelSource } from "../source.ts";

export { MoteError } from "../errors.ts";
export type * from "../index.ts";

// built, this file is dist/host/targets/node.js; run from source, the cores are still under dist
const CORES = new URL(import.meta.url.endsWith(".ts") ? "../../dist/core/" : "../../core/", import.meta.url);
const FILES: CoreSource = {
  relaxed: () => readFile(new URL("relaxed.wasm", CORES)),
  simd: () => readFile(new URL("simd.wasm", CORES)),
  scalar: () => readFile(new URL("scalar.wasm", CORES)),
};

async function readPath(path: string | URL, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(path, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MoteError("FETCH", `The model cannot be read: ${cause instanceof Error ? cause.message : cause}.`, {
      cause,
    });
  }
}

/**
 * Reads a `.mote` file and the core that will run it.
 *
 * @param source a path, a `file:`, `http:`, `https:` or `data:` address, the file's bytes, or a Response (or
 * a promise of one). Bytes are not copied and must not change while the model is in use.
 * @throws MoteError BAD_MODEL, UNTRUSTED, VERSION, FETCH, MEMORY or NO_CORE; the signal's reason after an abort.
 */
export function loadModel(source: ModelSource | Promise<ModelSource>, options: LoadOptions = {}): Promise<Model> {
  const { core = FILES, signal } = options;
  if (typeof source === "string" && /^file:/i.test(source)) source = new URL(source);
  const isPath =
    source instanceof URL
      ? source.protocol === "file:"
      : typeof source === "string" && !/^(https?|data):/i.test(source);
  return loadModelWith(core, isPath ? readPath(source as string | URL, signal) : source, options);
}
