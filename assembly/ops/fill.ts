// fill: writes one value of 1, 2 or 4 bytes over and over; what pad puts around its copy.
// Invariant: Bytes is a multiple of ElementBytes.

import { Fill, Status, Step } from "../abi";
import { address, canWrite, extent, field } from "../memory";

export function checkFill(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const size = field(step, Fill.ElementBytes);
  if (<u32>(size - 1) > 3 || size == 3) return Status.Shape;
  if (field(step, Fill.Bytes) % size != 0) return Status.Shape;
  return canWrite(step, Step.Output, extent(field(step, Fill.Bytes), 1)) ? Status.Ok : Status.Write;
}

export function runFill(step: usize): void {
  const to = address(step, Step.Output),
    bytes = <usize>field(step, Fill.Bytes),
    value = <u32>field(step, Fill.Value);
  switch (field(step, Fill.ElementBytes)) {
    case 1:
      memory.fill(to, <u8>value, bytes);
      break;
    case 2:
      words(to, to + bytes, (value << 16) | (value & 0xffff));
      break;
    default:
      words(to, to + bytes, value);
  }
}

/** `pattern` from `to` up to `end`; its low half once more where two bytes are left. */
function words(to: usize, end: usize, pattern: u32): void {
  while (to + 4 <= end) {
    store<u32>(to, pattern);
    to += 4;
  }
  if (to < end) store<u16>(to, <u16>pattern);
}
