// The input rows that an output row needs, padded and ready for the kernels, so that no kernel ever
// asks whether a cell lies outside the picture. A ring of `slots` rows: row y lies in slot y mod slots,
// so a row is prepared once however many output rows use it.
//
//   one slot:  ├ left padding ┼ the row's pixels ┼ right padding ┼ room for a vector store ┤
//
// Cells are int16 (CELL = i16, widened for dot_i16x8, the cells of a quad as fewBitsDot.ts wants them where that is asked
// for) or int8 as they are (CELL = i8).
//
// Invariant: a slot holds exactly the cells x = −padLeft … −padLeft + pixels − 1 of its row, each
// outside cell being the input's zero point.

import { copyBytes, widen } from "./lanes";

export let ring: usize = 0;
export let slots: i32 = 0;
export let slotBytes: usize = 0;
let image: usize = 0;
let height: i32 = 0;
let width: i32 = 0;
let inChannels: i32 = 0;
let before: i32 = 0;
let inside: i32 = 0;
let after: i32 = 0;
let zero: i32 = 0;
let next: i32 = 0;

/** Bytes of one slot of int16 cells; enough for int8 ones. */
export function slotBytes16(pixels: i32, channels: i32): u64 {
  return (<u64>pixels * <u64>channels * 2 + 31) & ~15;
}

export function ringSetup(
  at: usize, rows: i32, bytes: usize, pixels: i32,
  inH: i32, inW: i32, channels: i32, padLeft: i32, zeroPoint: i32,
): void {
  ring = at;
  slots = rows;
  slotBytes = bytes;
  height = inH;
  width = inW;
  inChannels = channels;
  before = min(padLeft, pixels);
  inside = max(0, min(inW, pixels - before));
  after = pixels - before - inside;
  zero = zeroPoint;
}

/** Starts a picture whose first row needed is `firstRow` (may be negative). */
export function ringStart(input: usize, firstRow: i32): void {
  image = input;
  next = firstRow;
}

/** The address of row y's slot. */
// @ts-ignore: decorator
@inline
export function ringRow(y: i32): usize {
  // Rows start at −padTop; adding a multiple of `slots` keeps the remainder non-negative.
  let slot = y % slots;
  if (slot < 0) slot += slots;
  return ring + <usize>slot * slotBytes;
}

/** Makes rows up to `last` present; rows before `first` are no longer needed. */
export function ringAdvance<CELL>(first: i32, last: i32): void {
  if (next < first) next = first;
  for (; next <= last; next++) prepareRow<CELL>(next, ringRow(next));
}

/** Writes row y, padded, to its slot. */
export function prepareRow<CELL>(y: i32, to: usize): void {
  if (y < 0 || y >= height) {
    fill<CELL>(to, (before + inside + after) * inChannels);
    return;
  }
  to = fill<CELL>(to, before * inChannels);
  const from = image + <usize>(y * width * inChannels);
  const count = inside * inChannels;
  if (!ASC_FEATURE_SIMD) memory.copy(to, from, count);
  else if (sizeof<CELL>() == 2) widen(to, from, count);
  else copyBytes(to, from, count);
  fill<CELL>(to + <usize>count * sizeof<CELL>(), after * inChannels);
}

/** The end of `count` cells of padding. */
function fill<CELL>(to: usize, count: i32): usize {
  const end = to + <usize>count * sizeof<CELL>();
  while (to < end) {
    store<CELL>(to, <CELL>zero);
    to += sizeof<CELL>();
  }
  return end;
}
