// The one place that grows the memory. Invariant: what a model needs is known, and there, before any of it is copied.

import { Exit } from "./exit";
import { fail } from "./message";

const PAGE: u64 = 65536;

/** All bytes of memory from address 0. */
export function memoryBytes(): u64 {
  return (<u64>(<u32>memory.size())) << 16;
}

/** Makes the memory reach to address `end`. */
export function makeRoom(end: u64): Exit {
  const pages = <i32>((end + PAGE - 1) >> 16) - memory.size();
  if (pages <= 0 || memory.grow(pages) >= 0) return Exit.Done;
  // what there is: as much of it as the engine gives, halving what is asked
  for (let some = pages >> 1; some > 0; some >>= 1) while (memory.grow(some) >= 0) {}
  return fail(Exit.Memory, ascii("the model needs % KiB of memory, and there are %"), <u32>((end + 1023) >> 10), <u32>(memoryBytes() >> 10));
}
