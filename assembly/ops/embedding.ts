// embedding: out[i] = row x[i] of the table in params; x is int32, clamped to the table's entries.
// Invariant: whatever x holds, only the table is read.

import { Status, Step } from "../abi";
import { Embedding } from "../abi/sequences";
import { address, canRead, canWrite, extent, field, hasParams } from "../memory";

export function checkEmbedding(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const count = field(step, Embedding.Count),
    entries = field(step, Embedding.Entries),
    row = field(step, Embedding.RowBytes);
  if (count < 1 || entries < 1 || row < 1) return Status.Shape;
  if (!canRead(step, Step.Input, extent(count, 4))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(count, row))) return Status.Write;
  return hasParams(step, extent(entries, row)) ? Status.Ok : Status.Params;
}

export function runEmbedding(step: usize): void {
  const row = <usize>field(step, Embedding.RowBytes),
    last = field(step, Embedding.Entries) - 1;
  let x = address(step, Step.Input),
    out = address(step, Step.Output);
  for (let i = field(step, Embedding.Count); i > 0; i--, x += 4, out += row) {
    const entry = max<i32>(0, min<i32>(load<i32>(x), last));
    memory.copy(out, address(step, Step.Params) + <usize>entry * row, row);
  }
}
