// lookup: y = table[x as unsigned], one byte in, one byte out; every int8 → int8 function of one
// variable (logistic, tanh, leaky relu, rescaling, …) is this with a table that the packer made.
// Invariant: may run in place.

import { Lookup, LookupKernel, Status, Step } from "../abi";
import { address, canRead, canWrite, extent, field, hasParams } from "../memory";
import { storeBytes16 } from "../simd/lanes";

export function checkLookup(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (<u32>kernel > <u32>LookupKernel.Flip) return Status.Kernel;
  const bytes = extent(field(step, Lookup.Count), 1);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  if (!canWrite(step, Step.Output, bytes)) return Status.Write;
  return kernel == LookupKernel.Flip || hasParams(step, 256) ? Status.Ok : Status.Params;
}

export function runLookup(step: usize): void {
  const input = address(step, Step.Input),
    output = address(step, Step.Output);
  const count = field(step, Lookup.Count);
  if (field(step, Step.Kernel) == LookupKernel.Flip) flip(input, output, count);
  else look(input, output, input + <usize>count, address(step, Step.Params));
}

function look(input: usize, output: usize, end: usize, table: usize): void {
  while (input < end) store<u8>(output++, load<u8>(table + <usize>load<u8>(input++)));
}

function flip(input: usize, output: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const top = i8x16.splat(-128);
    for (; count > 0; count -= 16, input += 16, output += 16) {
      storeBytes16(output, v128.xor(v128.load(input), top), count);
    }
  } else {
    for (; count > 0; count--) store<u8>(output++, load<u8>(input++) ^ 0x80);
  }
}
