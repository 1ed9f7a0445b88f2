// What a streaming session keeps between runs, as bytes that travel: to another process, build, engine or machine.
// assembly/abi.ts (StateFile) draws them. Invariant: `load` changes the session only after everything about the
// bytes was found right, and what is in the state is data to every step, never a place or a size.
import { Plan, StateFile } from "../assembly/abi.ts";
import { MoteError } from "./errors.ts";
import { crc32c } from "./format/crc32c.ts";

const ID_BYTES = 16;

/** `code` BAD_STATE: these bytes are refused, and the session is as it was. */
function refuse(what: string, remedy: string): never {
  throw new MoteError("BAD_STATE", `This is ${what}: ${remedy}.`);
}

/** The state of one session: `session.state`. */
export class SessionState {
  /** length of what `save` gives; 0 where the model keeps nothing between runs */
  readonly bytes: number;
  readonly #alive: () => void;
  readonly #restart: () => void;
  readonly #view: Uint8Array;
  readonly #id: Uint8Array;

  /** @internal `view`: the state in the core's memory; `restart` sets it to what it starts as. */
  constructor(image: Uint8Array, memory: ArrayBuffer, base: number, alive: () => void, restart: () => void) {
    const plan = new DataView(image.buffer, image.byteOffset, image.length);
    const bytes = plan.getUint32(Plan.StateBytes * 4, true);
    // without a state nothing has looked at its place
    this.#view = new Uint8Array(memory, bytes && base + plan.getUint32(Plan.StateOffset * 4, true), bytes);
    // a copy, not slice, which shares a Buffer's bytes: the image is not kept
    this.#id = new Uint8Array(image.subarray(Plan.ModelId * 4, Plan.ModelId * 4 + ID_BYTES));
    this.bytes = bytes && StateFile.HeaderBytes + bytes;
    this.#alive = alive;
    this.#restart = restart;
  }

  /**
   * The stream as it stands, `bytes` long. Loaded into another session of the same `.mote` file, on any build,
   * engine or machine, it goes on with the same bytes.
   *
   * @throws MoteError BAD_STATE where the model keeps no state; DISPOSED.
   */
  save(): Uint8Array {
    this.#alive();
    if (!this.bytes) refuse("a model that keeps nothing between runs", "there is no state to save");
    const saved = new Uint8Array(this.bytes);
    const view = new DataView(saved.buffer);
    view.setUint32(0, StateFile.Magic, true);
    view.setUint16(StateFile.VersionOffset, StateFile.Version, true);
    saved.set(this.#id, StateFile.ModelIdOffset);
    view.setUint32(StateFile.BytesOffset, this.#view.length, true);
    saved.set(this.#view, StateFile.HeaderBytes);
    // over its own place as 0
    view.setUint32(StateFile.CrcOffset, crc32c(saved), true);
    return saved;
  }

  /**
   * Goes on from what `save` gave. Bytes of another model or version, cut off or altered, are refused with the
   * reason, and the session is left as it was.
   *
   * @throws MoteError BAD_STATE, DISPOSED.
   */
  load(saved: Uint8Array): void {
    this.#alive();
    const { length } = saved;
    const view = new DataView(saved.buffer, saved.byteOffset, length);
    if (length < StateFile.HeaderBytes || view.getUint32(0, true) !== StateFile.Magic)
      refuse(`no saved state: ${length} bytes that do not start with "MOST"`, "give what state.save() returned");
    const version = view.getUint16(StateFile.VersionOffset, true);
    if (version !== StateFile.Version)
      refuse(
        `a saved state of version ${version}, and this runtime reads version ${StateFile.Version}`,
        "start the stream anew with state.reset()",
      );
    const expected = StateFile.HeaderBytes + view.getUint32(StateFile.BytesOffset, true);
    if (length !== expected)
      refuse(`a damaged state: ${length} bytes where its header says ${expected}`, "save it again");
    // not slice: a Buffer's shares its bytes
    const copy = new Uint8Array(saved);
    new DataView(copy.buffer).setUint32(StateFile.CrcOffset, 0, true);
    if (crc32c(copy) !== view.getUint32(StateFile.CrcOffset, true))
      refuse("a damaged state: its checksum does not match its bytes", "save it again");
    const id = saved.subarray(StateFile.ModelIdOffset, StateFile.ModelIdOffset + ID_BYTES);
    if (length !== this.bytes || id.some((byte, i) => byte !== this.#id[i]))
      refuse("the state of another model", "load it into a session of the .mote file that it was saved with");
    this.#view.set(saved.subarray(StateFile.HeaderBytes));
  }

  /** Starts the stream anew. Throws MoteError DISPOSED. */
  reset(): void {
    this.#alive();
    this.#restart();
  }

  /** @internal Does `work` on a fresh state and puts the present one back. */
  aside<T>(work: () => T): T {
    const before = this.#view.slice();
    this.#restart();
    try {
      return work();
    } finally {
      this.#view.set(before);
    }
  }
}
