// Which product a step multiplies with: the dot of int16 cells (gemm.ts), or one of int8 cells: in the relaxed build the
// relaxed dot (gemmRelaxed.ts), else the narrow one where the machine likes it (gemmNarrow.ts). What of
// the relaxed build is not a tile of rows: ops/conv2dRelaxed.ts.
// Invariant: CELL = i8 only where `takesInt8` says so; all give the same bytes.

import { gemm1, gemm4 } from "./gemm";
import { gemm1Narrow, gemm4Narrow } from "./gemmNarrow";
import { gemm1Relaxed } from "./gemm1Relaxed";
import { gemm4Relaxed } from "./gemmRelaxed";
import { narrow } from "./machine";

/** Whether weights of type WIDE (see gemm.ts) are multiplied with int8 cells as they are. */
// @ts-ignore: decorator
@inline
export function takesInt8<WIDE>(): bool {
  return !isInteger<WIDE>() && (ASC_FEATURE_RELAXED_SIMD || narrow);
}

/** Four pixels, `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function tile4<WIDE, CELL>(shift: usize, step: usize, block: usize, out: usize): void {
  if (sizeof<CELL>() != 1) gemm4<WIDE>(shift, step, block, out);
  else if (ASC_FEATURE_RELAXED_SIMD) gemm4Relaxed(shift, step, block, out);
  else gemm4Narrow(shift, step, block, out);
}

/** One pixel. */
// @ts-ignore: decorator
@inline
export function tile1<WIDE, CELL>(shift: usize, block: usize, out: usize): void {
  if (sizeof<CELL>() != 1) gemm1<WIDE>(shift, block, out);
  else if (ASC_FEATURE_RELAXED_SIMD) gemm1Relaxed(shift, block, out);
  else gemm1Narrow(shift, block, out);
}

/** `tile4` of what is known only when a step runs. */
export function anyTile4(wide: bool, int8: bool, shift: usize, step: usize, block: usize, out: usize): void {
  if (wide) tile4<i32, i16>(shift, step, block, out);
  else if (ASC_FEATURE_RELAXED_SIMD || int8) tile4<f32, i8>(shift, step, block, out);
  else tile4<f32, i16>(shift, step, block, out);
}

/** `tile1` likewise. */
export function anyTile1(wide: bool, int8: bool, shift: usize, block: usize, out: usize): void {
  if (wide) tile1<i32, i16>(shift, block, out);
  else if (ASC_FEATURE_RELAXED_SIMD || int8) tile1<f32, i8>(shift, block, out);
  else tile1<f32, i16>(shift, block, out);
}
