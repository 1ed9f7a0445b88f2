// The model's inputs and outputs: where they lie and how many bytes they take. The io records of the plan
// (assembly/abi.ts draws them) are what the host's reader checks where there is a host.
// Invariant: after `checkPorts` every port lies inside the arena, and the records in the read-only image.

import { Plan } from "../abi";
import { base, field, imageBytes, totalBytes } from "../memory";
import { Exit } from "./exit";
import { fail } from "./message";

export function inputCount(): i32 {
  return field(base, Plan.InputCount);
}

export function portCount(): i32 {
  return inputCount() + field(base, Plan.OutputCount);
}

/** The record of a port: inputs first, then outputs. */
function record(port: i32): usize {
  return base + <usize>field(base, Plan.IoOffset) + ((<usize>port) << 3);
}

export function portAddress(port: i32): usize {
  return base + <usize>load<u32>(record(port));
}

export function portBytes(port: i32): u32 {
  return load<u32>(record(port), 4);
}

/** Bytes of ports `from` … `to` − 1 together. */
export function bytesOf(from: i32, to: i32): u32 {
  let sum: u32 = 0;
  for (let port = from; port < to; port++) sum += portBytes(port);
  return sum;
}

export function checkPorts(): Exit {
  const inputs = field(base, Plan.InputCount),
    outputs = field(base, Plan.OutputCount),
    offset = <u32>field(base, Plan.IoOffset);
  const most = <i32>(imageBytes >> 3);
  let fits =
    inputs >= 0 && outputs >= 0 && inputs <= most && outputs <= most && (offset & 3) == 0 && offset <= imageBytes;
  if (fits) fits = <u64>(inputs + outputs) << 3 <= <u64>(imageBytes - offset);
  for (let port = 0; fits && port < inputs + outputs; port++) {
    const start = load<u32>(record(port));
    fits = start >= imageBytes && start <= totalBytes && portBytes(port) <= totalBytes - start;
  }
  return fits ? Exit.Done : fail(Exit.Model, ascii("damaged model: its inputs and outputs are not inside its memory"));
}
