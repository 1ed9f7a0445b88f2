// The slots of rowRing.ts filled in order instead of in turn, so that the rows which an output row needs lie behind one
// another. When no slot is left, the rows still needed move to the front.
// Invariant: after `windowRows(first, last)` row y lies (y − first) slots behind the address that it gave.

import { prepareRow, ring, slotBytes, slots } from "./rowRing";

/** the row in the first slot, and the first one that is not there yet */
let origin: i32 = 0;
let next: i32 = 0;

/** Starts a picture whose first row needed is `firstRow`; `ringStart` has named the picture. */
export function windowStart(firstRow: i32): void {
  origin = firstRow;
  next = firstRow;
}

/** The address of row `first`; `slots` are at least twice the rows from `first` to `last`. */
export function windowRows<CELL>(first: i32, last: i32): usize {
  if (last - origin >= slots) {
    const kept = next - first;
    if (kept > 0) memory.copy(ring, ring + <usize>(first - origin) * slotBytes, <usize>kept * slotBytes);
    origin = first;
  }
  if (next < first) next = first;
  for (; next <= last; next++) prepareRow<CELL>(next, ring + <usize>(next - origin) * slotBytes);
  return ring + <usize>(first - origin) * slotBytes;
}
