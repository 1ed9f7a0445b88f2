// Where a runner's model runs: on the page's own thread, or in a Web Worker. Invariant: `close` lets go of all memory,
// and what is then still unanswered fails with MoteError DISPOSED.
import { type Core, type CoreSource, chooseCore } from "../core.ts";
import { MoteError, type MoteErrorCode } from "../errors.ts";
import type { VerifyOptions } from "../format/verify.ts";
import { loadModelWith } from "../model.ts";
import type { Inputs, Outputs } from "../session.ts";
import type { Answer, ModelInfo, Request } from "./messages.ts";

/** What one run gave. */
export interface Ran {
  readonly outputs: Outputs;
  /** of a streaming model, after this run */
  readonly state?: Uint8Array;
  /** milliseconds inside the core, without the way there and back */
  readonly ms: number;
}

export interface Backend {
  readonly info: ModelInfo;
  run(inputs: Inputs): Promise<Ran>;
  close(): void;
}

export interface OpenOptions {
  readonly core: CoreSource;
  readonly verify?: VerifyOptions;
  readonly maxMemoryBytes?: number;
  /** gives the Worker; undefined runs on this thread */
  readonly link?: (() => Link) | undefined;
}

/** Starts `bytes` with the fastest core that runs here, in `state` if it is given. */
export async function openBackend(bytes: Uint8Array, options: OpenOptions, state?: Uint8Array): Promise<Backend> {
  const { core, link, ...rest } = options;
  const chosen = await chooseCore(core);
  return link ? inWorker(link(), bytes, chosen, rest, state) : onThisThread(bytes, core, rest, state);
}

type Rest = Omit<OpenOptions, "core" | "link">;

export async function onThisThread(
  bytes: Uint8Array,
  core: CoreSource,
  options: Rest,
  state?: Uint8Array,
): Promise<Backend> {
  const model = await loadModelWith(core, bytes, options);
  const session = await model.createSession();
  if (state) session.state.load(state);
  const { build, memoryBytes } = session;
  return {
    info: { header: model.header, build, memoryBytes },
    async run(inputs) {
      const started = performance.now();
      const outputs = session.run(inputs);
      const ms = performance.now() - started;
      return session.state.bytes > 0 ? { outputs, ms, state: session.state.save() } : { outputs, ms };
    },
    close: () => session.dispose(),
  };
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** A Web Worker that may be asked things, also while its script is still on its way. */
export interface Link {
  ask(request: Request, transfer?: Transferable[]): Promise<Answer>;
  /** Stops the Worker; what waits and what comes fails with `error`. */
  end(error: MoteError): void;
}

/** Listens to `worker` from now on: a script that does not load is known to whoever asks later. */
export function linkTo(worker: Worker): Link {
  const waiting = new Map<number, Waiting>();
  let ended: MoteError | undefined;
  const end = (error: MoteError): void => {
    ended = error;
    worker.terminate();
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("code" in data) asked?.reject(new MoteError(data.code as MoteErrorCode, data.message));
    else asked?.resolve(data);
  };
  worker.onerror = ({ message }) =>
    end(new MoteError("NO_CORE", `The Web Worker stopped: ${message || "its script does not load"}.`));
  const ask = (request: Request, transfer: Transferable[] = []): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      waiting.set(request.id, { resolve, reject });
      worker.postMessage(request, transfer);
    });
  return { ask, end };
}

async function inWorker(
  { ask, end }: Link,
  bytes: Uint8Array,
  { build, module }: Core,
  options: Rest,
  state?: Uint8Array,
): Promise<Backend> {
  let lastId = 0;
  try {
    // a copy, because the page may still put its own into a cache
    const copy = bytes.slice();
    const open = { kind: "open", id: ++lastId, bytes: copy, core: { [build]: module }, ...options } as const;
    const answer = await ask(state ? { ...open, state } : open, [copy.buffer]);
    return {
      info: (answer as { info: ModelInfo }).info,
      run: async (inputs) => (await ask({ kind: "run", id: ++lastId, inputs })) as Answer & Ran,
      close: () => end(new MoteError("DISPOSED", "This runner was disposed: make another.")),
    };
  } catch (error) {
    end(error as MoteError);
    throw error;
  }
}
