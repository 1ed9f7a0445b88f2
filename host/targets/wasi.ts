/**
 * `mote-runtime/wasi`: runs the WASI modules (`mote.wasm`, the reactor, what `mote compile` makes) in Node's own WASI
 * host. Elsewhere any WASI engine runs them without this file: docs/wasi.md.
 *
 * ```ts
 * const reactor = await openReactor(await readFile("kws.wasm"));
 * reactor.inputs[0].set(features);
 * reactor.run();
 * console.log(reactor.outputs[0]);
 * ```
 *
 * @module
 */
// without "node:", the name that the project promises: Node's own module, whatever package of that name is installed
import { WASI } from "wasi";
import { MoteError, type MoteErrorCode } from "../errors.ts";

export { MoteError } from "../errors.ts";

export type WasiModule = WebAssembly.Module | BufferSource;

export interface CommandOptions {
  /** the command line without the program's name */
  readonly args?: readonly string[];
  /** folders that the command may use: its name for each → the real path */
  readonly folders?: Readonly<Record<string, string>>;
  /** descriptors of this process; 0, 1 and 2 by default */
  readonly stdin?: number;
  readonly stdout?: number;
  readonly stderr?: number;
}

async function instantiate(module: WasiModule, wasi: WASI): Promise<WebAssembly.Instance> {
  const imports = wasi.getImportObject() as WebAssembly.Imports;
  return module instanceof WebAssembly.Module
    ? WebAssembly.instantiate(module, imports)
    : (await WebAssembly.instantiate(module, imports)).instance;
}

/** Runs a command to its end, and returns its exit status; this process waits meanwhile. */
export async function runCommand(module: WasiModule, options: CommandOptions = {}): Promise<number> {
  const { args = [], folders = {}, stdin = 0, stdout = 1, stderr = 2 } = options;
  const wasi = new WASI({
    version: "preview1",
    args: ["mote", ...args],
    preopens: { ...folders },
    stdin,
    stdout,
    stderr,
    returnOnExit: true,
  });
  return wasi.start(await instantiate(module, wasi));
}

/** What include/mote.h declares. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  mote_reserve?(bytes: number): number;
  mote_load(bytes: number): number;
  mote_input_count(): number;
  mote_output_count(): number;
  mote_input(index: number): number;
  mote_input_bytes(index: number): number;
  mote_output(index: number): number;
  mote_output_bytes(index: number): number;
  mote_run(): number;
  mote_state_bytes(): number;
  mote_state(): number;
  mote_state_header(): number;
  mote_state_save(): number;
  mote_state_load(): number;
  mote_state_reset(): void;
  mote_error(): number;
}

/** The exit statuses of assembly/wasi/exit.ts as the host's codes. */
const CODES: Readonly<Record<number, MoteErrorCode>> = { 2: "BAD_INPUT", 4: "BAD_MODEL", 5: "MEMORY", 8: "BAD_STATE" };
const STATE_HEADER_BYTES = 32;

/** A model in a reactor, or a compiled one: raw bytes in, raw bytes out. Made by `openReactor`. */
export class Reactor {
  /** the place of every input, of its storage dtype's bytes; to be filled before each run, as steps may reuse it */
  readonly inputs: readonly Uint8Array[];
  /** the place of every output, valid until the next run */
  readonly outputs: readonly Uint8Array[];
  readonly #exports: Exports;

  /** @internal */
  constructor(exports: Exports) {
    this.#exports = exports;
    const view = (at: number, bytes: number) => new Uint8Array(exports.memory.buffer, at, bytes);
    this.inputs = Array.from({ length: exports.mote_input_count() }, (_, i) =>
      view(exports.mote_input(i), exports.mote_input_bytes(i)),
    );
    this.outputs = Array.from({ length: exports.mote_output_count() }, (_, i) =>
      view(exports.mote_output(i), exports.mote_output_bytes(i)),
    );
  }

  /** Runs the model once on what is in `inputs`. */
  run(): void {
    check(this.#exports, this.#exports.mote_run());
  }

  /** The stream as it stands, as `session.state.save()` gives it. Throws MoteError BAD_STATE where there is none. */
  saveState(): Uint8Array {
    check(this.#exports, this.#exports.mote_state_save());
    const [header, state] = this.#state();
    const saved = new Uint8Array(header.length + state.length);
    saved.set(header);
    saved.set(state, header.length);
    return saved;
  }

  /** Goes on from a saved state. Throws MoteError BAD_STATE; the stream then starts anew. */
  loadState(saved: Uint8Array): void {
    const [header, state] = this.#state();
    if (saved.length !== header.length + state.length)
      throw new MoteError(
        "BAD_STATE",
        `The state must have ${header.length + state.length} bytes, got ${saved.length}.`,
      );
    header.set(saved.subarray(0, header.length));
    state.set(saved.subarray(header.length));
    check(this.#exports, this.#exports.mote_state_load());
  }

  /** Starts the stream anew. */
  resetState(): void {
    this.#exports.mote_state_reset();
  }

  #state(): readonly [header: Uint8Array, state: Uint8Array] {
    const { memory, mote_state, mote_state_bytes, mote_state_header } = this.#exports;
    const bytes = mote_state_bytes();
    return [
      new Uint8Array(memory.buffer, mote_state_header(), bytes && STATE_HEADER_BYTES),
      new Uint8Array(memory.buffer, mote_state(), bytes),
    ];
  }
}

function check(exports: Exports, code: number): void {
  if (code === 0) return;
  const bytes = new Uint8Array(exports.memory.buffer, exports.mote_error());
  const text = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  throw new MoteError(CODES[code] ?? "BAD_MODEL", `The reactor refuses: ${text}.`);
}

/**
 * Starts a reactor with a model.
 *
 * @param module `reactor.wasm`, or a module that `mote compile` made
 * @param model the bytes of a `.mote` file; none for a compiled model
 * @throws MoteError BAD_MODEL, MEMORY, or BAD_INPUT where a model lacks or is one too many
 */
export async function openReactor(module: WasiModule, model?: Uint8Array): Promise<Reactor> {
  const { exports } = await instantiate(module, new WASI({ version: "preview1" }));
  const reactor = exports as unknown as Exports;
  if (!reactor.mote_reserve !== !model)
    throw new MoteError("BAD_INPUT", "A reactor needs a model, and a compiled model has its own: give one of them.");
  if (model && reactor.mote_reserve) {
    const at = reactor.mote_reserve(model.length);
    if (at === 0) check(reactor, 5);
    new Uint8Array(reactor.memory.buffer).set(model, at);
  }
  check(reactor, reactor.mote_load(model?.length ?? 0));
  return new Reactor(reactor);
}
