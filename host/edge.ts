// One input or output of a session: a view of its place in the core's memory, and the way in and out.
// Invariant: the view stays valid because the memory never grows; `accept`, `write` and `read` allocate
// nothing unless they throw. Called by session.ts.
import { MoteError } from "./errors.ts";
import { DTYPES, type TensorArray } from "./format/dtype.ts";
import type { PortHeader } from "./format/header.ts";
import type { PortSlot } from "./format/reader.ts";
import { dequantize, quantize } from "./quantize.ts";

/** The typed array's class name, also for one of another realm (an iframe, a vm context). */
export const kindOf = (value: unknown): string =>
  ArrayBuffer.isView(value) ? String((value as TensorArray)[Symbol.toStringTag]) : typeof value;

export class Edge {
  readonly port: PortHeader;
  /** the tensor where the core reads or writes it, of the port's storage dtype */
  readonly view: TensorArray;
  /** the same place as bytes */
  readonly bytes: Uint8Array;
  readonly #side: string;
  readonly #kind: string;
  /** 0 when the port holds plain numbers, so that float32 cannot be asked of it */
  readonly #scale: number;

  constructor(side: string, { port, offset, length, bytes }: PortSlot, memory: ArrayBuffer, base: number) {
    this.port = port;
    this.view = new DTYPES[port.storage].array(memory, base + offset, length);
    this.bytes = new Uint8Array(memory, base + offset, bytes);
    this.#side = side;
    this.#kind = kindOf(this.view);
    this.#scale = Math.fround(port.scale ?? 0);
  }

  /** Refuses, by MoteError BAD_INPUT, all but an array of the storage dtype, or float32 where the port has a scale. */
  accept(value: unknown): void {
    const { name, shape } = this.port;
    const { length } = this.view;
    const kind = kindOf(value);
    if (kind !== this.#kind && !(kind === "Float32Array" && this.#scale)) {
      const expected = this.#scale ? `${this.#kind} or Float32Array` : this.#kind;
      throw new MoteError("BAD_INPUT", `${this.#side} "${name}" must be ${expected}, got ${kind}.`);
    }
    const got = (value as TensorArray).length;
    if (got !== length)
      throw new MoteError(
        "BAD_INPUT",
        `${this.#side} "${name}" must have ${length} elements (shape ${shape.join("×") || "scalar"}), got ${got}.`,
      );
  }

  /** Copies an accepted array in; the view itself is left as it is. */
  write(source: TensorArray): void {
    if (source === this.view) return;
    const { zeroPoint = 0, storage } = this.port;
    const { min, max } = DTYPES[storage];
    // what is accepted and is not of the storage's class is a Float32Array
    if (kindOf(source) === this.#kind) this.view.set(source);
    else quantize(this.view, source, this.#scale, zeroPoint, min, max);
  }

  /** Copies the tensor out into an accepted array; the view itself is left as it is. */
  read(target: TensorArray): void {
    if (target === this.view) return;
    if (kindOf(target) === this.#kind) target.set(this.view);
    else dequantize(target, this.view, this.#scale, this.port.zeroPoint ?? 0);
  }

  /** A copy of the tensor in the port's interface dtype. */
  copy(): TensorArray {
    const { array, bytes } = DTYPES[this.port.dtype];
    const target = new array(new ArrayBuffer(this.view.length * bytes));
    this.read(target);
    return target;
  }
}
