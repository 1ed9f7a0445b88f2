// What a streaming model keeps from one run to the next: bytes at the start of the arena (abi.ts, Plan.StateOffset).
// Invariant: no step reads a place or a size from them, so that whatever they hold a run stays inside its memory.

import { Plan } from "./abi";
import { address, base, field } from "./memory";

/** The state lies in the arena, and what it starts as in the image. */
export function stateFits(at: usize, image: u32, total: u32): bool {
  const bytes = <u32>field(at, Plan.StateBytes);
  if (bytes == 0) return true;
  const offset = <u32>field(at, Plan.StateOffset), init = <u32>field(at, Plan.StateInit);
  return offset >= image && <u64>offset + bytes <= total && <u64>init + bytes <= image;
}

/** Sets the state to what it starts as. The host does so after `load`: the arena is not cleared there. */
export function startState(): void {
  const bytes = <usize>field(base, Plan.StateBytes);
  if (bytes != 0) memory.copy(address(base, Plan.StateOffset), address(base, Plan.StateInit), bytes);
}
