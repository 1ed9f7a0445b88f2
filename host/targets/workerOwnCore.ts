/**
 * `mote-runtime/worker/own-core`: as `mote-runtime/worker`, without a core of its own. With one that `mote core` made for
 * the Worker's models, an upload is tens of kilobytes smaller.
 *
 * ```ts
 * import simd from "./core.wasm"; // mote core kws.mote -o core.wasm
 * import kws from "./kws.mote";
 * const session = perIsolate(() => loadModel(kws, { core: { simd } }));
 * ```
 *
 * @module
 */
import { loadCached, type ModelCache } from "../cached.ts";
import type { CoreSource } from "../core.ts";
import { MoteError } from "../errors.ts";
import { type LoadOptions, loadModelWith, type Model } from "../model.ts";
import type { Session } from "../session.ts";
import { type ModelSource, readSource } from "../source.ts";

export { MoteError } from "../errors.ts";
export { type BodyLimits, errorResponse, HttpError, readBody } from "../http.ts";
export type * from "../index.ts";

/** What is used of an R2 bucket. */
export interface BucketLike {
  get(key: string): Promise<{ readonly body?: ReadableStream } | null>;
}
/** What is used of a KV namespace. */
export interface NamespaceLike {
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
}
/** What is used of a binding to static assets, or to another service. */
export interface FetcherLike {
  fetch(url: string): Promise<Response>;
}

/** As anywhere; the core must be given, as modules that the Worker imports. */
export interface WorkerOptions extends LoadOptions {
  readonly core: CoreSource;
}

/**
 * Reads a `.mote` file.
 *
 * @param source a data module, a Response, an address to fetch, or what `fromR2`, `fromKV` and `fromAssets` promise
 * @throws MoteError BAD_MODEL, UNTRUSTED, VERSION, FETCH, MEMORY or NO_CORE; the signal's reason after an abort.
 */
export function loadModel(source: ModelSource | Promise<ModelSource>, options: WorkerOptions): Promise<Model> {
  return loadModelWith(options.core, source, options);
}

const absent = (what: string): MoteError => new MoteError("FETCH", `There is no ${what}: upload the model first.`);

/** The object `key` of an R2 bucket. */
export async function fromR2(bucket: BucketLike, key: string): Promise<ModelSource> {
  const object = await bucket.get(key);
  if (!object?.body) throw absent(`object "${key}" in the bucket`);
  return new Response(object.body);
}

/** The value of `key` in a KV namespace: at most 25 MiB. */
export async function fromKV(namespace: NamespaceLike, key: string): Promise<ModelSource> {
  const bytes = await namespace.get(key, "arrayBuffer");
  if (!bytes) throw absent(`key "${key}" in the namespace`);
  return bytes;
}

/** The file at `path` among the static assets. */
export function fromAssets(assets: FetcherLike, path: string): Promise<ModelSource> {
  // the host's name is not looked at
  return assets.fetch(new URL(path, "https://assets.invalid").href);
}

/**
 * As `loadModel`, with the Cache API of this data centre in front of `source`. An entry that is damaged or not
 * trusted is dropped and fetched again once.
 *
 * @param key an `https:` address of your own; give another version of the model another one
 * @param source what to do when the model is not in the cache
 */
export function loadModelThroughCache(
  key: string,
  source: () => Promise<ModelSource>,
  options: WorkerOptions,
  cache: ModelCache = (caches as unknown as { default: ModelCache }).default,
): Promise<Model> {
  const read = (): Promise<Uint8Array> => readSource(source(), options);
  return loadCached(cache, key, read, (found) => loadModel(found, options));
}

const POLL_MS = 5;
const PATIENCE_MS = 2000;

/**
 * One session for all requests of an isolate, made by the first one that asks. `run` is one synchronous call, so
 * requests cannot disturb each other, as long as nothing is awaited between writing `session.input()` and `run`.
 *
 * A Worker must not wait for what another request has begun, which ends with that request. So others look for the
 * session now and then, and load it themselves when it does not come. A failure is not kept.
 *
 * @param load called with what the returned function is called with, usually the request's `env`
 */
export function perIsolate<Given extends unknown[]>(
  load: (...given: Given) => Model | Promise<Model>,
): (...given: Given) => Promise<Session> {
  let session: Session | undefined;
  let loading = 0;
  return async (...given) => {
    for (let waited = 0; !session && loading > 0 && waited < PATIENCE_MS; waited += POLL_MS)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (session) return session;
    loading++;
    try {
      const made = await (await load(...given)).createSession();
      if (session) made.dispose();
      session ??= made;
      return session;
    } finally {
      loading--;
    }
  };
}
