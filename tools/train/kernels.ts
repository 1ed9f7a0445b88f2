// The training core: a WebAssembly build of float32 kernels (assembly/float), with a memory of its own.
// Invariant: one instance a machine; the memory grows only while programs are made, never in a step.

import { readFileSync } from "node:fs";

// built, this file is dist/tools/train/kernels.js; run from source, the core is still under dist
const CORE = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/core/train.wasm" : "../../core/train.wasm",
  import.meta.url,
);
const PAGE = 65536;

export type Kernel = (...args: number[]) => number;

export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** first byte that belongs to nobody, a multiple of 64 */
  readonly base: number;
  kernel(name: string): Kernel;
  /** makes `bytes` of memory usable; views of the old memory go stale */
  reserve(bytes: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** A fresh instance of the training core. */
export function openKernels(): Kernels {
  compiled ??= new WebAssembly.Module(readFileSync(CORE));
  const { exports } = new WebAssembly.Instance(compiled, {});
  const memory = exports.memory as WebAssembly.Memory;
  const heapBase = (exports.heapBase as () => number)();
  return {
    memory,
    base: Math.ceil(heapBase / 64) * 64,
    kernel(name) {
      const found = exports[name];
      if (typeof found !== "function") throw new Error(`the training core has no kernel "${name}"`);
      return found as Kernel;
    },
    reserve(bytes) {
      const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
      if (missing > 0) memory.grow(missing);
    },
  };
}
