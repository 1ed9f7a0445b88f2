// copy: moves a strided box of up to six axes, out[Σ i·outStride] = in[Σ i·inStride], elements of 1, 2 or
// 4 bytes: transpose, slice, split, concat and pad are this. Input and output point at the element of
// index 0; a negative input stride reads backwards from there, a stride of 0 repeats.
// Invariant: input and output do not overlap; the packer has merged axes, so long runs are innermost.

import { Copy, Status, Step } from "../abi";
import { address, allWithin, field, imageBytes, totalBytes } from "../memory";

/** Bounds every axis and stride, so that no 64-bit sum of products can overflow. */
const MOST: i32 = 1 << 28;
/** Runs up to this many bytes are moved inline: the call behind memory.copy costs more. */
const SHORT_RUN: i32 = 32;
const LAST: i32 = Copy.Rank - 1;

export function checkCopy(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const size = field(step, Copy.ElementBytes);
  if (size != 1 && size != 2 && size != 4) return Status.Shape;
  if (!allWithin(step, Copy.Dim0, Copy.Dim0 + LAST, 1, MOST)) return Status.Shape;
  if (!allWithin(step, Copy.InStride0, Copy.InStride0 + LAST, -MOST, MOST)) return Status.Shape;
  if (!allWithin(step, Copy.OutStride0, Copy.OutStride0 + LAST, 0, MOST)) return Status.Shape;
  let elements: i64 = 1,
    lowest: i64 = 0,
    highest: i64 = 0,
    lastOut: i64 = 0;
  for (let axis = 0; axis < Copy.Rank; axis++) {
    const dim = <i64>field(step, Copy.Dim0 + axis);
    const reach = (dim - 1) * <i64>field(step, Copy.InStride0 + axis);
    elements *= dim;
    // More elements than bytes cannot all be written: this also bounds the time of a run.
    if (elements > <i64>totalBytes) return Status.Shape;
    lowest += min<i64>(reach, 0);
    highest += max<i64>(reach, 0);
    lastOut += (dim - 1) * <i64>field(step, Copy.OutStride0 + axis);
  }
  const input = <i64>(<u32>field(step, Step.Input)),
    output = <i64>(<u32>field(step, Step.Output));
  const bytes = <i64>size;
  if (input + lowest * bytes < 0 || input + (highest + 1) * bytes > <i64>totalBytes) return Status.Read;
  if (output < <i64>imageBytes || output + (lastOut + 1) * bytes > <i64>totalBytes) return Status.Write;
  return Status.Ok;
}

export function runCopy(step: usize): void {
  switch (field(step, Copy.ElementBytes)) {
    case 1:
      box<u8>(step);
      break;
    case 2:
      box<u16>(step);
      break;
    default:
      box<u32>(step);
  }
}

// @ts-ignore: decorator
@inline
function dim(step: usize, axis: i32): i32 {
  return field(step, Copy.Dim0 + axis);
}

/** Input stride in bytes; arithmetic on addresses wraps, so a negative one counts down. */
// @ts-ignore: decorator
@inline
function inStep<T>(step: usize, axis: i32): usize {
  return (<usize>field(step, Copy.InStride0 + axis)) * sizeof<T>();
}

// @ts-ignore: decorator
@inline
function outStep<T>(step: usize, axis: i32): usize {
  return (<usize>field(step, Copy.OutStride0 + axis)) * sizeof<T>();
}

function box<T>(step: usize): void {
  let from0 = address(step, Step.Input),
    to0 = address(step, Step.Output);
  for (let i0 = dim(step, 0); i0 > 0; i0--) {
    let from1 = from0,
      to1 = to0;
    for (let i1 = dim(step, 1); i1 > 0; i1--) {
      let from2 = from1,
        to2 = to1;
      for (let i2 = dim(step, 2); i2 > 0; i2--) {
        let from3 = from2,
          to3 = to2;
        for (let i3 = dim(step, 3); i3 > 0; i3--) {
          plane<T>(step, from3, to3);
          from3 += inStep<T>(step, 3);
          to3 += outStep<T>(step, 3);
        }
        from2 += inStep<T>(step, 2);
        to2 += outStep<T>(step, 2);
      }
      from1 += inStep<T>(step, 1);
      to1 += outStep<T>(step, 1);
    }
    from0 += inStep<T>(step, 0);
    to0 += outStep<T>(step, 0);
  }
}

/** The two innermost axes. */
function plane<T>(step: usize, from: usize, to: usize): void {
  const rows = dim(step, 4),
    count = dim(step, 5);
  const rowFrom = inStep<T>(step, 4),
    rowTo = outStep<T>(step, 4);
  const stepFrom = inStep<T>(step, 5),
    stepTo = outStep<T>(step, 5);
  const contiguous = stepFrom == sizeof<T>() && stepTo == sizeof<T>();
  const bytes = count * <i32>sizeof<T>();
  if (contiguous && bytes > SHORT_RUN) {
    for (let r = rows; r > 0; r--, from += rowFrom, to += rowTo) memory.copy(to, from, <usize>bytes);
  } else if (contiguous) {
    for (let r = rows; r > 0; r--, from += rowFrom, to += rowTo) shortRun(to, from, <usize>bytes);
  } else {
    for (let r = rows; r > 0; r--, from += rowFrom, to += rowTo) {
      let f = from,
        t = to;
      for (let i = count; i > 0; i--, f += stepFrom, t += stepTo) store<T>(t, load<T>(f));
    }
  }
}

/** memory.copy for a few bytes; neither reads nor writes past them. */
// @ts-ignore: decorator
@inline
export function shortRun(to: usize, from: usize, bytes: usize): void {
  const end = from + bytes;
  while (from + 8 <= end) {
    store<u64>(to, load<u64>(from));
    from += 8;
    to += 8;
  }
  if (from + 4 <= end) {
    store<u32>(to, load<u32>(from));
    from += 4;
    to += 4;
  }
  while (from < end) store<u8>(to++, load<u8>(from++));
}
