// Bodies of HTTP requests as bytes within limits, and errors as answers. Invariant: nothing past the limit is kept in
// memory, a body that stalls is given up, and an answer never tells what went wrong inside. Used by targets/worker.ts.
import { MoteError } from "./errors.ts";

/** A request that cannot be served as it is: answered with `status` and its own sentence. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface BodyLimits {
  /** most bytes of the body; more is 413 */
  readonly maxBytes: number;
  /** media types that are accepted, without parameters; another is 415 */
  readonly types: readonly string[];
  /** milliseconds in which the body must have arrived; 5,000 when absent, later is 408 */
  readonly timeoutMs?: number;
}

const tooLarge = (maxBytes: number): HttpError => new HttpError(413, `The body may have ${maxBytes} bytes at most.`);

/** The whole body of `request`. Throws HttpError 400, 408, 413 or 415. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBytes, types, timeoutMs = 5000 } = limits;
  const type = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (!types.includes(type)) throw new HttpError(415, `The content type must be ${types.join(" or ")}.`);
  if (request.headers.has("content-encoding")) throw new HttpError(415, "The body must not be compressed.");
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge(maxBytes);
  const reader = request.body?.getReader();
  if (!reader) throw new HttpError(400, "The body is empty.");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new HttpError(408, `The body took more than ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      length += value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(value);
    }
    if (length === 0) throw new HttpError(400, "The body is empty.");
    const bytes = new Uint8Array(length);
    for (let at = 0, i = 0; i < chunks.length; at += chunks[i++]!.length) bytes.set(chunks[i]!, at);
    return bytes;
  } catch (cause) {
    reader.cancel().catch(() => undefined);
    if (cause instanceof HttpError) throw cause;
    throw new HttpError(400, "The body did not arrive whole.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The answer to a request that failed: its status, and `{ error: { code, message } }` as JSON. */
export function errorResponse(error: unknown): Response {
  const isMote = error instanceof MoteError;
  let [status, code, message] = [500, "INTERNAL", "The request could not be served."];
  if (error instanceof HttpError) [status, code, message] = [error.status, "BAD_REQUEST", error.message];
  else if (isMote && error.code === "BAD_INPUT") [status, code, message] = [400, error.code, error.message];
  // trying again may help: the model could not be fetched
  else if (isMote && error.code === "FETCH") [status, code, message] = [503, error.code, "The model is not there yet."];
  else if (isMote) code = error.code;
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (status === 503) headers["retry-after"] = "1";
  return Response.json({ error: { code, message } }, { status, headers });
}
