/**
 * `mote-runtime/worker`: the runtime in Cloudflare Workers. The core is a statically imported module, so nothing is
 * compiled at run time; models come from a data module, static assets, R2, KV or an address, by way of the Cache API.
 *
 * ```ts
 * import digits from "./digits.mote"; // a data module
 * const session = perIsolate(() => loadModel(digits));
 * export default {
 *   fetch: async (request) => Response.json((await session()).run(await request.bytes())),
 * };
 * ```
 *
 * @module
 */
import simd from "../../core/simd.wasm";
import type { ModelCache } from "../cached.ts";
import type { LoadOptions, Model } from "../model.ts";
import type { ModelSource } from "../source.ts";
import * as ownCore from "./workerOwnCore.ts";

export type * from "./workerOwnCore.ts";
export {
  errorResponse,
  fromAssets,
  fromKV,
  fromR2,
  HttpError,
  MoteError,
  perIsolate,
  readBody,
} from "./workerOwnCore.ts";

/**
 * Reads a `.mote` file, to be run by the simd build unless `options.core` brings another.
 *
 * @param source a data module, a Response, an address to fetch, or what `fromR2`, `fromKV` and `fromAssets` promise
 * @throws MoteError BAD_MODEL, UNTRUSTED, VERSION, FETCH, MEMORY or NO_CORE; the signal's reason after an abort.
 */
export function loadModel(source: ModelSource | Promise<ModelSource>, options: LoadOptions = {}): Promise<Model> {
  return ownCore.loadModel(source, { core: { simd }, ...options });
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
  options: LoadOptions = {},
  cache?: ModelCache,
): Promise<Model> {
  return ownCore.loadModelThroughCache(key, source, { core: { simd }, ...options }, cache);
}
