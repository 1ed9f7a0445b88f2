// lookup: y = table[x as unsigned], one byte in, one byte out; every int8 → int8 function of one
// variable (logistic, tanh, leaky relu, rescaling, …) is this with a table that the packer made.
// Invariant: may run in place.

import { Lookup, Status, Step } from "../abi";
import { address, canRead, canWrite, extent, field, hasParams } from "../memory";

export function checkLookup(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const bytes = extent(field(step, Lookup.Count), 1);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  if (!canWrite(step, Step.Output, bytes)) return Status.Write;
  return hasParams(step, 256) ? Status.Ok : Status.Params;
}

export function runLookup(step: usize): void {
  const table = address(step, Step.Params);
  let input = address(step, Step.Input);
  let output = address(step, Step.Output);
  const end = input + <usize>field(step, Lookup.Count);
  while (input < end) store<u8>(output++, load<u8>(table + <usize>load<u8>(input++)));
}
