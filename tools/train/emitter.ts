// Collects kernel calls while a program is made, then gives every buffer its place.
// Invariant: a buffer lives from the first call that names it to the last; two share bytes only if their lives
// do not overlap, so a value is written once and never changed (gradients are added into fresh buffers).

import { planArena } from "../pack/arena.ts";
import type { Kernel, Kernels } from "./kernels.ts";
import type { Emit } from "./trace.ts";

/** A place in the training core's memory: fixed, or inside an arena buffer. */
export interface Place {
  readonly buffer: ArenaBuffer | undefined;
  /** bytes from the buffer's start, or from 0 */
  readonly offset: number;
}

interface ArenaBuffer {
  readonly bytes: number;
  first: number;
  last: number;
  at: number;
}

export const fixed = (offset: number): Place => ({ buffer: undefined, offset });
/** `elements` four-byte values further on */
export const beyond = (place: Place, elements: number): Place => ({ ...place, offset: place.offset + elements * 4 });

interface Call {
  readonly kernel: string;
  readonly args: readonly (number | Place)[];
}

export interface BoundCall {
  readonly kernel: string;
  readonly run: Kernel;
  readonly args: readonly number[];
}

export class Emitter implements Emit {
  readonly globals: Emit["globals"];
  readonly #calls: Call[] = [];
  readonly #buffers: ArenaBuffer[] = [];
  #salts = 0;

  constructor(seed: Place) {
    this.globals = { seed, salt: () => ++this.#salts };
  }

  get count(): number {
    return this.#calls.length;
  }

  call(kernel: string, ...args: (number | Place)[]): void {
    for (const arg of args) if (typeof arg === "object") this.#touch(arg);
    this.#calls.push({ kernel, args });
  }

  buffer(elements: number): Place {
    const buffer = { bytes: elements * 4, first: Infinity, last: -1, at: 0 };
    this.#buffers.push(buffer);
    return { buffer, offset: 0 };
  }

  /** The buffer is filled before the first call. */
  keepFromStart({ buffer }: Place): void {
    if (buffer) buffer.first = -1;
  }

  /** The buffer is read after the last call. */
  keepToEnd({ buffer }: Place): void {
    if (buffer) buffer.last = Infinity;
  }

  #touch({ buffer }: Place): void {
    if (!buffer) return;
    const now = this.#calls.length;
    buffer.first = Math.min(buffer.first, now);
    buffer.last = Math.max(buffer.last, now);
  }

  /** Plans the arena from `base` on. Returns its size in bytes. */
  plan(base: number): number {
    const used = this.#buffers.filter(({ first }) => first !== Infinity);
    const arena = planArena(
      used.map(({ bytes, first, last }) => ({ name: "", bytes, first, last: Math.min(last, this.#calls.length) })),
    );
    for (const [i, { offset }] of arena.buffers.entries()) used[i]!.at = base + offset;
    return arena.bytes;
  }

  /** The calls with their addresses; `plan` comes first. */
  bind(kernels: Kernels): BoundCall[] {
    return this.#calls.map(({ kernel, args }) => ({
      kernel,
      run: kernels.kernel(kernel),
      args: args.map((arg) => (typeof arg === "number" ? arg : addressOf(arg))),
    }));
  }
}

export function addressOf({ buffer, offset }: Place): number {
  return (buffer?.at ?? 0) + offset;
}
