// Where the bytes of a model come from: memory, a response, an address. Invariant: an abort rejects
// with the signal's reason and stops the transfer; a failed transfer is MoteError FETCH.
import { MoteError } from "./errors.ts";

/** A .mote file: its bytes, a response that holds them, or an address to fetch. */
export type ModelSource = ArrayBuffer | ArrayBufferView | Response | URL | string;

export interface ReadOptions {
  /** stops the transfer; the returned promise then rejects with the signal's reason */
  readonly signal?: AbortSignal;
  /** called after every chunk of a transfer with the bytes so far and, where the server tells, of all */
  readonly onProgress?: (receivedBytes: number, totalBytes?: number) => void;
}

const FIRST_BYTES = 65536;
const MOST_FIRST_BYTES = 2 ** 28;

async function readBody(response: Response, { signal, onProgress }: ReadOptions): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(await response.arrayBuffer());
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    // the length of a compressed transfer is not that of the file
    const compressed = response.headers.has("content-encoding");
    const total = compressed ? undefined : Number(response.headers.get("content-length")) || undefined;
    // what the server says is only where to start
    let bytes = new Uint8Array(Math.min(total ?? FIRST_BYTES, MOST_FIRST_BYTES));
    let received = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return bytes.subarray(0, received);
      if (received + value.length > bytes.length) {
        const larger = new Uint8Array(2 * (received + value.length));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(value, received);
      received += value.length;
      onProgress?.(received, total);
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** All bytes of `source`. */
export async function readSource(
  source: ModelSource | Promise<ModelSource>,
  options: ReadOptions,
): Promise<Uint8Array> {
  const { signal } = options;
  // awaited before anything can throw, so that its own failure is never left unhandled
  const given = await source;
  signal?.throwIfAborted();
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  // told apart by what they have: an ArrayBuffer or Response may be of another realm
  const isObject = typeof given === "object";
  if (isObject && "byteLength" in given) return new Uint8Array(given);
  try {
    const response = isObject && "body" in given ? given : await fetch(given, signal ? { signal } : {});
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await readBody(response, options);
  } catch (cause) {
    signal?.throwIfAborted();
    const address = isObject && "url" in given ? given.url || "the response" : given;
    throw new MoteError("FETCH", `The model did not arrive from ${address}: ${String(cause)}.`, { cause });
  }
}
