// The script of a runner's Web Worker: opens one model, then runs it as often as it is asked. Invariant: every request
// gets one answer (messages.ts); compiles nothing, since the page sends the compiled core.
import { MoteError } from "../errors.ts";
import { type Backend, onThisThread } from "./backend.ts";
import type { Answer, Request } from "./messages.ts";

/** The part of a Worker's global scope that is used: `self` is typed as a window. */
interface Scope {
  onmessage: (event: { readonly data: Request }) => Promise<void>;
  postMessage(answer: Answer, transfer?: ArrayBufferLike[]): void;
}
const scope = globalThis as unknown as Scope;
let backend: Backend | undefined;

async function answer(request: Request): Promise<void> {
  const { id } = request;
  if (request.kind === "open") {
    const { bytes, core, state, kind: _kind, id: _id, ...options } = request;
    backend = await onThisThread(bytes, core, options, state);
    scope.postMessage({ id, info: backend.info });
    return;
  }
  const ran = await backend!.run(request.inputs);
  scope.postMessage(
    { id, ...ran },
    Object.values(ran.outputs).map(({ buffer }) => buffer),
  );
}

scope.onmessage = async ({ data }) => {
  try {
    await answer(data);
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ id: data.id, code: error instanceof MoteError ? error.code : "NO_CORE", message });
  }
};
