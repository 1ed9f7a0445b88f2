// Models in a page's Cache Storage, one entry an address: its version is part of the key. Invariant: whatever the
// storage does (absent outside https, forbidden in private windows, full), a model still loads from its address.
import type { ModelCache } from "../cached.ts";

/** How a page keeps a model between visits. */
export interface CacheOptions {
  /** any text; with another one the model is fetched anew and the old entry dropped */
  readonly version: string;
  /** the cache's name in Cache Storage; "mote-models" when absent */
  readonly name?: string;
}

const VERSION = "mote-version";

/** The key of `address` in `version`: the address with the version among its parameters. */
export function cacheKey(address: string | URL, version: string): string {
  const url = new URL(address, globalThis.location?.href);
  url.searchParams.set(VERSION, version);
  return url.href;
}

/** The cache that `options` names; undefined where there is none. `put` drops the address's other versions. */
export async function openCache({ name = "mote-models" }: CacheOptions): Promise<ModelCache | undefined> {
  const cache = await globalThis.caches?.open(name).catch(() => undefined);
  if (!cache) return undefined;
  return {
    match: (key) => cache.match(key),
    delete: (key) => cache.delete(key),
    async put(key, response) {
      await cache.put(key, response);
      const addressOf = (href: string): string => {
        const url = new URL(href);
        url.searchParams.delete(VERSION);
        return url.href;
      };
      for (const { url } of await cache.keys())
        if (url !== key && addressOf(url) === addressOf(key)) await cache.delete(url);
    },
  };
}
