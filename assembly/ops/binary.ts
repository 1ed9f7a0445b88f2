// What the binary operators (add, mul, squaredDifference) share: the check of their broadcast and the
// walk over its rows. The packer has merged neighbouring axes, so that four are enough and the
// innermost stride of each input is 1 (a row of its own) or 0 (one value for the whole row).
// Invariant: after `checkBinary`, every row that `nextRow` gives lies inside the inputs and the output.

import { Binary, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";

/** The present row: where it starts in each input and in the output. */
export let rowA: usize = 0;
export let rowB: usize = 0;
export let rowOut: usize = 0;

let plan: usize = 0;
let outer: i32 = 0;
let middle: i32 = 0;
/** Rows left along the third axis, and what a step along it adds. */
let rowsLeft: i32 = 0;
let stepA: usize = 0;
let stepB: usize = 0;
let rowBytes: usize = 0;

export function checkBinary(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Binary.Dim0, Binary.Dim3, 1, i32.MAX_VALUE)) return Status.Shape;
  if (!allWithin(step, Binary.AStride0, Binary.BStride3, 0, i32.MAX_VALUE)) return Status.Shape;
  if (field(step, Binary.AStride3) > 1 || field(step, Binary.BStride3) > 1) return Status.Shape;
  if (!allWithin(step, Binary.OutZero, Binary.Max, -128, 127)) return Status.Shape;
  if (field(step, Binary.Min) > field(step, Binary.Max)) return Status.Shape;
  const count = extent(
    field(step, Binary.Dim0),
    field(step, Binary.Dim1),
    field(step, Binary.Dim2),
    field(step, Binary.Dim3),
  );
  if (!canWrite(step, Step.Output, count)) return Status.Write;
  if (!canRead(step, Step.Input, reach(step, Binary.AStride0))) return Status.Read;
  return canRead(step, Step.Input2, reach(step, Binary.BStride0)) ? Status.Ok : Status.Read;
}

/** Bytes from an input's first value to its last, whose four strides begin at word `strides`. */
function reach(step: usize, strides: i32): u64 {
  let bytes: u64 = 1;
  for (let axis = 0; axis < 4; axis++) {
    bytes += <u64>(field(step, Binary.Dim0 + axis) - 1) * <u64>field(step, strides + axis);
    if (bytes > u32.MAX_VALUE) return bytes;
  }
  return bytes;
}

/** Stands before the first row: call `nextRow` to step onto it. */
export function startRows(step: usize): void {
  plan = step;
  outer = 0;
  middle = -1;
  rowsLeft = 0;
  stepA = <usize>field(step, Binary.AStride2);
  stepB = <usize>field(step, Binary.BStride2);
  rowBytes = <usize>field(step, Binary.Dim3);
  rowOut = address(step, Step.Output) - rowBytes;
}

/** Steps onto the next row; false when there is none. */
// @ts-ignore: decorator
@inline
export function nextRow(): bool {
  rowOut += rowBytes;
  rowA += stepA;
  rowB += stepB;
  return --rowsLeft >= 0 || nextPlane();
}

/** Steps onto the first row of the next plane of the last two axes. */
function nextPlane(): bool {
  if (++middle == field(plan, Binary.Dim1)) {
    middle = 0;
    if (++outer == field(plan, Binary.Dim0)) return false;
  }
  rowsLeft = field(plan, Binary.Dim2) - 1;
  rowA = address(plan, Step.Input) + plane(Binary.AStride0);
  rowB = address(plan, Step.Input2) + plane(Binary.BStride0);
  return true;
}

/** The plane's offset in the input whose four strides begin at word `strides`. */
function plane(strides: i32): usize {
  return <usize>outer * <usize>field(plan, strides) + <usize>middle * <usize>field(plan, strides + 1);
}
