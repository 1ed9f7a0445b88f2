// A session: one instance of the core with its own memory, sized once, holding one model.
// Invariant: the memory never grows after `openSession`, so views of it stay valid; `run` with
// `outputs` allocates nothing on the JS heap; after `dispose` every call throws MoteError DISPOSED.
import { SLACK_BYTES, Status } from "../assembly/abi.ts";
import { type BuildName, type Core, type CoreExports, startCore } from "./core.ts";
import { Edge, kindOf } from "./edge.ts";
import { MoteError } from "./errors.ts";
import type { TensorArray } from "./format/dtype.ts";
import type { Header } from "./format/header.ts";
import type { ModelFile } from "./format/reader.ts";
import { SessionState } from "./state.ts";
import { statusError } from "./status.ts";

/** An array for every input, by name; a model with one input also takes the array itself. */
export type Inputs = Readonly<Record<string, TensorArray>> | TensorArray;
/** An array for every output, by name. */
export type Outputs = Record<string, TensorArray>;

/** What one step of the plan took. */
export interface ProfileRow {
  readonly index: number;
  readonly name: string;
  readonly op: string;
  readonly kernel: string;
  /** multiply-accumulates of one run */
  readonly macs: number;
  /** wall-clock milliseconds of the fastest run: what else the machine did only adds */
  readonly ms: number;
}

const PAGE_BYTES = 65536;

/** WebAssembly pages that a session on `core` takes. */
export const pagesFor = (core: Core, totalBytes: number): number =>
  Math.ceil((core.base + totalBytes + SLACK_BYTES) / PAGE_BYTES);

const namesOf = (edges: readonly Edge[]): string => edges.map(({ port }) => `"${port.name}"`).join(", ");

/** What the caller gave for a port; the array itself where there is one port. */
const pick = (values: Inputs, { port }: Edge): TensorArray =>
  ArrayBuffer.isView(values) ? values : values[port.name]!;

/** Refuses anything but one array that fits for each of `edges`, so that nothing is half written. */
function check(side: string, edges: readonly Edge[], values: Inputs): void {
  const isMap = typeof values === "object" && !ArrayBuffer.isView(values);
  let given = isMap ? 0 : 1;
  // Object.keys would allocate
  if (isMap) for (const _ in values) given++;
  for (let i = 0; i < edges.length || i < given; i++) {
    const edge = edges[i];
    const value = edge && typeof values === "object" && values ? pick(values, edge) : undefined;
    if (given !== edges.length || value === undefined) {
      const got = isMap && values ? `{${Object.keys(values).slice(0, 8).join(", ")}}` : kindOf(values);
      throw new MoteError(
        "BAD_INPUT",
        `${side} must be an object with an array for each of ${namesOf(edges)}, got ${got}.`,
      );
    }
    edge!.accept(value);
  }
}

/** A model in its own memory, ready to run. Made by `model.createSession()`. */
export class Session {
  /** the core that runs it */
  readonly build: BuildName;
  /** bytes of WebAssembly memory that it holds */
  readonly memoryBytes: number;
  /** what a streaming model keeps between runs: to save, load and reset */
  readonly state: SessionState;
  // not the file: once the model is let go of, its bytes are not kept beside their copy in the memory
  readonly #header: Header;
  readonly #selfTest: ModelFile["selfTest"];
  #inputs: readonly Edge[];
  #outputs: readonly Edge[];
  #core: CoreExports | undefined;

  /** @internal */
  constructor(file: ModelFile, { build, base }: Core, core: CoreExports) {
    const { buffer } = core.memory;
    this.build = build;
    this.memoryBytes = buffer.byteLength;
    this.#header = file.header;
    this.#selfTest = file.selfTest;
    this.#core = core;
    this.#inputs = file.inputs.map((slot) => new Edge("Input", slot, buffer, base));
    this.#outputs = file.outputs.map((slot) => new Edge("Output", slot, buffer, base));
    this.state = new SessionState(
      file.image,
      buffer,
      base,
      () => void this.#alive(),
      () => void core.resetState(),
    );
    core.resetState();
  }

  /**
   * Runs the model once; a streaming model goes on from where the run before it ended (see `state`).
   *
   * @param inputs one array for every input: of the port's storage dtype (raw quantized values), or a
   * Float32Array of real values, which is quantized as `saturate(round(x / scale) + zeroPoint)` in float32,
   * ties to even, NaN as 0. Its length is the product of the shape.
   * @param outputs arrays to fill, of the same two kinds; with them nothing is allocated. Without
   * them new arrays of each output's `dtype` are returned.
   * @returns the outputs by name; float32 ones hold `scale · (q − zeroPoint)`.
   * @throws MoteError BAD_INPUT for a missing or unknown name, a wrong length or type; DISPOSED.
   */
  run(inputs: Inputs, outputs?: Outputs): Outputs {
    this.#alive();
    this.#write(inputs);
    if (outputs) check("Outputs", this.#outputs, outputs);
    this.#steps(0, -1);
    const edges = this.#outputs;
    if (!outputs) return Object.fromEntries(edges.map((edge) => [edge.port.name, edge.copy()]));
    for (let i = 0; i < edges.length; i++) edges[i]!.read(pick(outputs, edges[i]!));
    return outputs;
  }

  /**
   * The input's place in the core's memory, of its storage dtype. Fill it and pass it to `run` to spare
   * the copy; steps may reuse the place, so fill it before every run.
   */
  input(name: string): TensorArray {
    return this.#find("Input", this.#inputs, name);
  }

  /** The output's place in the core's memory, of its storage dtype: valid until the next run. */
  output(name: string): TensorArray {
    return this.#find("Output", this.#outputs, name);
  }

  /**
   * Times every step: the fastest of `runs` runs. A stream's state is left as it was.
   *
   * @param inputs as for `run`; the file's own self-test inputs when absent.
   * @throws MoteError BAD_INPUT, DISPOSED.
   */
  profile(inputs?: Inputs, { runs = 20 }: { readonly runs?: number } = {}): ProfileRow[] {
    this.#alive();
    return this.state.aside(() => this.#profile(inputs, runs));
  }

  #profile(inputs: Inputs | undefined, runs: number): ProfileRow[] {
    const { steps } = this.#header;
    const ms = new Float64Array(steps.length).fill(Infinity);
    for (let run = 0; run < runs; run++) {
      if (inputs) this.#write(inputs);
      else this.#writeVectors();
      for (let i = 0; i < steps.length; i++) {
        const started = performance.now();
        this.#steps(i, i + 1);
        ms[i] = Math.min(ms[i]!, performance.now() - started);
      }
    }
    return steps.map(({ name, op, kernel, macs }, index) => ({ index, name, op, kernel, macs, ms: ms[index]! }));
  }

  /** Whether the file's own inputs give the file's own outputs, byte for byte, on this engine; a stream goes on as if it had not been asked. */
  selfTest(): boolean {
    this.#alive();
    return this.state.aside(() => {
      this.#writeVectors();
      this.#steps(0, -1);
      return this.#outputs.every(({ bytes }, i) => {
        const expected = this.#selfTest.outputs[i]!;
        return bytes.every((byte, at) => byte === expected[at]);
      });
    });
  }

  /** Lets go of the memory; views of it that were handed out keep it alive. Calling it twice does no harm. */
  dispose(): void {
    this.#core = undefined;
    this.#inputs = this.#outputs = [];
  }

  #alive(): CoreExports {
    if (!this.#core) throw new MoteError("DISPOSED", "This session was disposed: create another from the model.");
    return this.#core;
  }

  #find(side: string, edges: readonly Edge[], name: string): TensorArray {
    this.#alive();
    const edge = edges.find(({ port }) => port.name === name);
    if (edge) return edge.view;
    throw new MoteError("BAD_INPUT", `${side} "${name}" does not exist: the model has ${namesOf(edges)}.`);
  }

  #write(inputs: Inputs): void {
    const edges = this.#inputs;
    check("Inputs", edges, inputs);
    for (let i = 0; i < edges.length; i++) edges[i]!.write(pick(inputs, edges[i]!));
  }

  #writeVectors(): void {
    this.#inputs.forEach(({ bytes }, i) => void bytes.set(this.#selfTest.inputs[i]!));
  }

  /** Runs steps `from` to `to`, or all of them when `to` is −1. */
  #steps(from: number, to: number): void {
    const core = this.#alive();
    let status: number;
    try {
      status = to < 0 ? core.run() : core.runSteps(from, to);
    } catch (cause) {
      throw new MoteError("BAD_MODEL", `The core stopped: ${String(cause)}; pack the model again.`, { cause });
    }
    if (status !== Status.Ok) throw statusError(status, -1, this.#header.steps);
  }
}

/** Starts a core, sizes its memory, copies the model in and has the core check it. Throws MoteError MEMORY, BAD_MODEL, NO_CORE. */
export async function openSession(file: ModelFile, core: Core): Promise<Session> {
  const exports = await startCore(core.module);
  const { memory } = exports;
  const pages = pagesFor(core, file.header.memory.totalBytes);
  const more = pages - memory.buffer.byteLength / PAGE_BYTES;
  try {
    if (more > 0) memory.grow(more);
  } catch (cause) {
    throw new MoteError("MEMORY", `The model needs ${pages * PAGE_BYTES} bytes, and the engine gives no more.`, {
      cause,
    });
  }
  new Uint8Array(memory.buffer).set(file.image, core.base);
  const status = exports.load(core.base, memory.buffer.byteLength - core.base);
  if (status !== Status.Ok) throw statusError(status, exports.failedStep(), file.header.steps);
  return new Session(file, core, exports);
}
