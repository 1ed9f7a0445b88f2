// gather: out[o, i, :] = in[o, index[i], :]. The indices are computed or constant int32.
// Invariant: an index is read once, at its use, and brought into the axis there: −1 is the last cell, and what
// lies outside is clamped, so no index can reach outside the input.

import { Status, Step } from "../abi";
import { Gather } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";

export function checkGather(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Gather.Outer, Gather.Count, 1, 1 << 30)) return Status.Shape;
  const outer = field(step, Gather.Outer), inner = field(step, Gather.InnerBytes), count = field(step, Gather.Count);
  if (!canRead(step, Step.Input, extent(outer, field(step, Gather.AxisDim), inner))) return Status.Read;
  if (!canRead(step, Step.Input2, extent(count, 4))) return Status.Read;
  return canWrite(step, Step.Output, extent(outer, count, inner)) ? Status.Ok : Status.Write;
}

export function runGather(step: usize): void {
  const dim = field(step, Gather.AxisDim), count = field(step, Gather.Count);
  const inner = <usize>field(step, Gather.InnerBytes), indices = address(step, Step.Input2);
  let from = address(step, Step.Input), out = address(step, Step.Output);
  for (let o = field(step, Gather.Outer); o > 0; o--, from += <usize>dim * inner) {
    for (let i = 0; i < count; i++, out += inner) {
      let index = load<i32>(indices + (<usize>i << 2));
      if (index < 0) index += dim;
      index = min(max(index, 0), dim - 1);
      memory.copy(out, from + <usize>index * inner, inner);
    }
  }
}
