// copy: moves a strided box of up to six axes, out[Σ i·outStride] = in[Σ i·inStride], elements of 1, 2 or
// 4 bytes: transpose, slice, split, concat and pad are this. Input and output point at the element of
// index 0; a negative input stride reads backwards from there, a stride of 0 repeats.
// Invariant: input and output do not overlap; the packer has merged axes, so long runs are innermost.

import { Copy, Status, Step } from "../abi";
import { address, allWithin, field, imageBytes, totalBytes } from "../memory";

/** Bounds every axis and stride, so that no 64-bit sum of products can overflow. */
const MOST: i32 = 1 << 28;
/** Runs up to this many bytes are moved inline: the call behind memory.copy costs more. */
const SHORT_RUN: usize = 32;
const LAST: i32 = Copy.Rank - 1;

export function checkCopy(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  const size = field(step, Copy.ElementBytes);
  if (<u32>(size - 1) > 3 || size == 3) return Status.Shape;
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
          plane(step, from3, to3);
          from3 += inStep(step, 3);
          to3 += outStep(step, 3);
        }
        from2 += inStep(step, 2);
        to2 += outStep(step, 2);
      }
      from1 += inStep(step, 1);
      to1 += outStep(step, 1);
    }
    from0 += inStep(step, 0);
    to0 += outStep(step, 0);
  }
}

// @ts-ignore: decorator
@inline
function dim(step: usize, axis: i32): i32 {
  return field(step, Copy.Dim0 + axis);
}

/** Input stride in bytes; arithmetic on addresses wraps, so a negative one counts down. */
function inStep(step: usize, axis: i32): usize {
  return <usize>(field(step, Copy.InStride0 + axis) * field(step, Copy.ElementBytes));
}

function outStep(step: usize, axis: i32): usize {
  return <usize>(field(step, Copy.OutStride0 + axis) * field(step, Copy.ElementBytes));
}

/** The two innermost axes. */
function plane(step: usize, from: usize, to: usize): void {
  const count = dim(step, LAST),
    size = field(step, Copy.ElementBytes);
  const rowFrom = inStep(step, LAST - 1),
    rowTo = outStep(step, LAST - 1);
  const stepFrom = inStep(step, LAST),
    stepTo = outStep(step, LAST);
  const contiguous = stepFrom == <usize>size && stepTo == <usize>size;
  const bytes = <usize>(count * size);
  for (let r = dim(step, LAST - 1); r > 0; r--, from += rowFrom, to += rowTo) {
    if (contiguous) copyRun(to, from, bytes);
    else if (size == 1) elements<u8>(to, from, count, stepTo, stepFrom);
    else if (size == 2) elements<u16>(to, from, count, stepTo, stepFrom);
    else elements<u32>(to, from, count, stepTo, stepFrom);
  }
}

// @ts-ignore: decorator
@inline
function elements<T>(to: usize, from: usize, count: i32, stepTo: usize, stepFrom: usize): void {
  for (; count > 0; count--, from += stepFrom, to += stepTo) store<T>(to, load<T>(from));
}

/** memory.copy, inline for a few bytes; neither reads nor writes past them. */
// @ts-ignore: decorator
@inline
export function copyRun(to: usize, from: usize, bytes: usize): void {
  if (bytes > SHORT_RUN) {
    memory.copy(to, from, bytes);
    return;
  }
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
