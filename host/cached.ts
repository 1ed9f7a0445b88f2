// A model kept in a cache between visits or isolates. Invariant: only bytes that were found sound and trusted are put
// in; an entry that turns out otherwise is dropped and fetched again once; a cache that fails is the same as none.
import { MoteError, type MoteErrorCode } from "./errors.ts";

/** What a browser's Cache and a Worker's `caches.default` have in common. */
export interface ModelCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** What an entry can be to blame for. */
const BLAMED: readonly MoteErrorCode[] = ["BAD_MODEL", "UNTRUSTED", "VERSION", "FETCH"];

/**
 * The model under `key`, or else the one that `read` brings, which is then kept.
 *
 * @param key an address, as the Cache API wants it; another version of the model needs another one
 * @param load reads and verifies: called with the cached response, and with the bytes of `read`
 */
export async function loadCached<Loaded>(
  cache: ModelCache | undefined,
  key: string,
  read: () => Promise<Uint8Array>,
  load: (source: Response | Uint8Array) => Promise<Loaded>,
): Promise<Loaded> {
  const hit = await cache?.match(key).catch(() => undefined);
  if (hit) {
    try {
      return await load(hit);
    } catch (error) {
      if (!(error instanceof MoteError && BLAMED.includes(error.code))) throw error;
      await cache?.delete(key).catch(() => false);
    }
  }
  const bytes = await read();
  const loaded = await load(bytes);
  const headers = {
    "content-type": "application/octet-stream",
    "cache-control": "public, max-age=31536000, immutable",
  };
  // a full or forbidden storage costs the next visit a transfer, nothing more
  await cache?.put(key, new Response(bytes as BodyInit, { headers })).catch(() => undefined);
  return loaded;
}
