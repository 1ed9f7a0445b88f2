/**
 * `mote-runtime/webview`: the runtime in browsers and webviews, with models kept between visits, inference beside the
 * page's own work, and memory let go of while the page rests.
 *
 * ```ts
 * const runner = await createRunner("digits.mote", { cache: { version: "1" }, onProgress, signal });
 * const outputs = await runner.run(pixels); //   in a Web Worker
 * const newest = await runner.offer(frame); //   undefined when a newer frame took its place
 * runner.dispose();
 * ```
 *
 * @module
 */
import { loadCached } from "../cached.ts";
import { type CoreSource, chooseCore } from "../core.ts";
import { MoteError } from "../errors.ts";
import { type LoadOptions, loadModelWith, type Model } from "../model.ts";
import { type ModelSource, readSource } from "../source.ts";
import { type Backend, linkTo, openBackend } from "../webview/backend.ts";
import { type CacheOptions, cacheKey, openCache } from "../webview/cacheStorage.ts";
import { Runner } from "../webview/runner.ts";

export { MoteError } from "../errors.ts";
export type * from "../index.ts";
export type { CacheOptions } from "../webview/cacheStorage.ts";
export type { Runner } from "../webview/runner.ts";

// functions, because a page may bring its own core
const BESIDE: CoreSource = {
  relaxed: () => new URL("../../core/relaxed.wasm", import.meta.url),
  simd: () => new URL("../../core/simd.wasm", import.meta.url),
  scalar: () => new URL("../../core/scalar.wasm", import.meta.url),
};

export interface WebviewOptions extends LoadOptions {
  /** keeps the model in Cache Storage, where the page may use it; for sources that are addresses */
  readonly cache?: CacheOptions;
}

export interface RunnerOptions extends WebviewOptions {
  /** false: on this thread; a function: makes the Worker, of `mote-runtime/webview/worker`; absent: in a Web Worker */
  readonly worker?: false | (() => Worker);
  /** how long the page must be hidden before memory is let go of: 30,000 when absent, Infinity for never */
  readonly releaseAfterMs?: number;
}

const isAddress = (source: unknown): source is string | URL => typeof source === "string" || source instanceof URL;

async function through<Loaded>(
  source: ModelSource,
  options: WebviewOptions,
  load: (source: Response | Uint8Array) => Promise<Loaded>,
): Promise<Loaded> {
  const { cache } = options;
  const read = (): Promise<Uint8Array> => readSource(source, options);
  if (!cache || !isAddress(source)) return load(await read());
  return loadCached(await openCache(cache), cacheKey(source, cache.version), read, load);
}

/**
 * Reads a `.mote` file and the core that will run it; sessions run on this thread.
 *
 * @param source an address, the file's bytes, or a Response
 * @throws MoteError BAD_MODEL, UNTRUSTED, VERSION, FETCH, MEMORY or NO_CORE; the signal's reason after an abort.
 */
export function loadModel(source: ModelSource, options: WebviewOptions = {}): Promise<Model> {
  return through(source, options, (found) => loadModelWith(options.core ?? BESIDE, found, options));
}

/**
 * Opens a model that runs in a Web Worker (or on this thread) and is ready for its first run.
 *
 * @param source an address or the file's bytes, which are kept: after a release the model is read again
 * @throws as `loadModel`; also NO_CORE where the Worker's script does not load
 */
export async function createRunner(
  source: string | URL | ArrayBuffer | ArrayBufferView,
  options: RunnerOptions = {},
): Promise<Runner> {
  const { core = BESIDE, maxMemoryBytes, signal, releaseAfterMs = 30_000 } = options;
  const worker =
    options.worker ?? (() => new Worker(new URL("../webview/worker.bundle.js", import.meta.url), { type: "module" }));
  const opening = {
    core,
    ...("verify" in options && { verify: options.verify ?? {} }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
  };
  const start = worker && typeof Worker === "function" ? () => linkTo(worker()) : undefined;
  const open = async (given: WebviewOptions, state?: Uint8Array): Promise<Backend> => {
    // the core and the Worker's script come while the model does; why there is no core is told when it is needed
    chooseCore(core).catch(() => undefined);
    let ahead = start?.();
    const link =
      start &&
      (() => {
        const next = ahead ?? start();
        ahead = undefined;
        return next;
      });
    try {
      return await through(source, given, async (found) =>
        openBackend(await readSource(found, given), { ...opening, link }, state),
      );
    } finally {
      ahead?.end(new MoteError("DISPOSED", "The model did not come."));
    }
  };
  const backend = await open(options);
  if (signal?.aborted) {
    backend.close();
    signal.throwIfAborted();
  }
  // neither the first signal nor the progress bar has to do with opening again
  const { signal: _signal, onProgress: _onProgress, ...again } = options;
  return new Runner((state) => open(again, state), backend, releaseAfterMs);
}
