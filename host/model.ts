// A loaded model: a checked file and the core that will run it; sessions are made from it.
// Invariant: whatever is wrong with the file, the core or the memory is found here or in createSession,
// before anything runs. The targets (host/index.ts, host/targets/) only say where cores come from.
import { type BuildName, type Core, type CoreSource, chooseCore } from "./core.ts";
import { MoteError } from "./errors.ts";
import { explain } from "./explain.ts";
import type { Header, PortHeader } from "./format/header.ts";
import { type ModelFile, readModel } from "./format/reader.ts";
import { type VerifyOptions, verifyModel } from "./format/verify.ts";
import { openSession, pagesFor, type Session } from "./session.ts";
import { type ModelSource, type ReadOptions, readSource } from "./source.ts";

export interface LoadOptions extends ReadOptions {
  /** the core's builds, for a host that cannot fetch them from beside this package */
  readonly core?: CoreSource;
  /** most bytes of WebAssembly memory that a session may take; more is MoteError MEMORY */
  readonly maxMemoryBytes?: number;
  /** refuses, by MoteError UNTRUSTED and before anything else is looked at, other bytes than these */
  readonly verify?: VerifyOptions;
}

export interface SessionOptions {
  /** a build other than the fastest that runs here */
  readonly build?: BuildName;
}

/** A model that was read and found sound. */
export class Model {
  readonly name: string;
  readonly inputs: readonly PortHeader[];
  readonly outputs: readonly PortHeader[];
  /** bytes of WebAssembly memory that a session takes, exactly */
  readonly memoryBytes: number;
  readonly #file: ModelFile;
  readonly #core: Core;
  readonly #source: CoreSource;

  /** @internal */
  constructor(file: ModelFile, core: Core, source: CoreSource) {
    const { name, inputs, outputs, memory } = file.header;
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.memoryBytes = pagesFor(core, memory.totalBytes) * 65536;
    this.#file = file;
    this.#core = core;
    this.#source = source;
  }

  /** Everything that the file says about itself. */
  get header(): Header {
    return this.#file.header;
  }

  /** A session with its own memory. Throws MoteError NO_CORE, MEMORY, or BAD_MODEL naming the step that does not fit. */
  async createSession({ build }: SessionOptions = {}): Promise<Session> {
    return openSession(this.#file, build ? await chooseCore(this.#source, build) : this.#core);
  }

  /** The ports, the memory map and every step's kernel, shapes, MACs, bytes and place, as text. */
  explain(): string {
    return explain(this.#file, this.memoryBytes);
  }
}

/** `loadModel` of every target, given where its cores are. */
export async function loadModelWith(
  core: CoreSource,
  source: ModelSource | Promise<ModelSource>,
  options: LoadOptions,
): Promise<Model> {
  const [chosen, bytes] = await Promise.all([chooseCore(core), readSource(source, options)]);
  if ("verify" in options) await verifyModel(bytes, options.verify ?? {});
  const model = new Model(readModel(bytes), chosen, core);
  const { maxMemoryBytes = Infinity } = options;
  if (model.memoryBytes > maxMemoryBytes)
    throw new MoteError(
      "MEMORY",
      `"${model.name}" needs ${model.memoryBytes} bytes, maxMemoryBytes allows ${maxMemoryBytes}: allow more or pack a smaller model.`,
    );
  return model;
}
