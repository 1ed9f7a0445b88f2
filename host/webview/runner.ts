// A model that a page feeds: one run at a time, frames by "newest wins", memory let go of when the page rests.
// Invariant: every promise settles; at most one frame waits while one runs; a released runner opens itself again at the
// next run, a stream where it was; after `dispose` nothing of it holds memory or listens.
import { MoteError } from "../errors.ts";
import type { PortHeader } from "../format/header.ts";
import type { Inputs, Outputs } from "../session.ts";
import type { Backend } from "./backend.ts";
import { watchPage } from "./lifecycle.ts";
import type { ModelInfo } from "./messages.ts";

interface Job {
  readonly inputs: Inputs;
  readonly resolve: (outputs: Outputs | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads the model and starts it in the state that is given. */
export type Open = (state?: Uint8Array) => Promise<Backend>;

/** A model that runs beside the page. Made by `createRunner`. */
export class Runner {
  readonly name: string;
  readonly inputs: readonly PortHeader[];
  readonly outputs: readonly PortHeader[];
  /** frames that `offer` gave up for newer ones */
  dropped = 0;
  /** milliseconds that the last run took in the core */
  lastMs = 0;
  readonly #open: Open;
  #info: ModelInfo;
  #backend: Backend | undefined;
  #state: Uint8Array | undefined;
  #queue: Job[] = [];
  #frame: Job | undefined;
  #busy = false;
  #releasing = false;
  #disposed = false;
  readonly #unwatch: () => void;

  /** @internal */
  constructor(open: Open, backend: Backend, releaseAfterMs: number) {
    const { name, inputs, outputs } = backend.info.header;
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#open = open;
    this.#info = backend.info;
    this.#backend = backend;
    this.#unwatch = watchPage(() => this.release(), releaseAfterMs);
  }

  /** the build of the core that runs it */
  get build(): ModelInfo["build"] {
    return this.#info.build;
  }

  /** bytes of WebAssembly memory that it holds now: 0 while released */
  get memoryBytes(): number {
    return this.#backend ? this.#info.memoryBytes : 0;
  }

  /**
   * Runs the model once, after the runs before it.
   *
   * @param inputs as for `session.run`; copied if they have to wait
   * @throws MoteError BAD_INPUT, DISPOSED, or what opening again after a release can throw
   */
  run(inputs: Inputs): Promise<Outputs> {
    return this.#start((job) => this.#queue.push(job), inputs) as Promise<Outputs>;
  }

  /**
   * Runs the model on a frame of a camera or microphone, if it gets its turn: of the frames that come while a run is
   * going on, only the newest is kept. So the model is never behind by more than one frame, however slow it is.
   *
   * @returns the outputs; undefined for a frame that a newer one replaced, or that came while the page was hidden
   */
  offer(inputs: Inputs): Promise<Outputs | undefined> {
    if (!this.#disposed && typeof document !== "undefined" && document.visibilityState === "hidden") {
      this.dropped++;
      return Promise.resolve(undefined);
    }
    return this.#start((job) => {
      if (this.#frame) {
        this.dropped++;
        this.#frame.resolve(undefined);
      }
      this.#frame = job;
    }, inputs);
  }

  /**
   * Lets go of the model's memory until the next run, which reads it again: from the cache, where there is one. A
   * stream goes on where it was. Happens by itself when the page is frozen, put away or hidden for long.
   */
  release(): void {
    this.#releasing = true;
    if (!this.#busy) this.#close();
  }

  /** Lets go of everything for good; what waits fails with MoteError DISPOSED. Calling it twice does no harm. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#unwatch();
    this.#close();
    this.#state = undefined;
    const error = this.#gone();
    for (const { reject } of this.#queue.splice(0)) reject(error);
    this.#frame?.reject(error);
    this.#frame = undefined;
  }

  #gone(): MoteError {
    return new MoteError("DISPOSED", "This runner was disposed: make another.");
  }

  #close(): void {
    this.#releasing = false;
    this.#backend?.close();
    this.#backend = undefined;
  }

  #start(place: (job: Job) => void, inputs: Inputs): Promise<Outputs | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#disposed) return reject(this.#gone());
      // a caller reuses its arrays for the next frame
      place({ inputs: this.#busy ? structuredClone(inputs) : inputs, resolve, reject });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let job = this.#next(); job; job = this.#next()) {
      try {
        job.resolve(await this.#run(job.inputs));
      } catch (error) {
        job.reject(error);
      }
      if (this.#releasing) this.#close();
    }
    this.#busy = false;
  }

  #next(): Job | undefined {
    const job = this.#queue.shift() ?? this.#frame;
    if (job === this.#frame) this.#frame = undefined;
    return job;
  }

  async #run(inputs: Inputs): Promise<Outputs> {
    if (!this.#backend) {
      const opened = await this.#open(this.#state);
      if (this.#disposed) {
        opened.close();
        throw this.#gone();
      }
      this.#backend = opened;
      this.#info = opened.info;
    }
    const backend = this.#backend;
    try {
      const { outputs, state, ms } = await backend.run(inputs);
      this.#state = state;
      this.lastMs = ms;
      return outputs;
    } catch (error) {
      // a Worker that stopped is opened anew by the next run
      if (!(error instanceof MoteError && error.code === "BAD_INPUT") && this.#backend === backend) this.#close();
      throw error;
    }
  }
}
