// Sums of sixteen neighbouring int8 columns over the cells of a window: averagePool2d and mean.
// Invariant: reads rows × columns vectors of sixteen bytes, of which the last may run past the tensor's end.

/** Where `columnSums` leaves sixteen int32. */
export const SUMS: usize = memory.data(64, 16);

/** Cells whose int8 values an int16 sum surely holds: 256 · −128 = −2^15. */
const CELLS = 256;

/** SUMS = Σ over `rows` × `columns` cells of the sixteen bytes at each. */
export function columnSums(cell: usize, rows: i32, columns: i32, columnBytes: usize, rowBytes: usize): void {
  v128.store(SUMS, i32x4.splat(0), 0);
  v128.store(SUMS, i32x4.splat(0), 16);
  v128.store(SUMS, i32x4.splat(0), 32);
  v128.store(SUMS, i32x4.splat(0), 48);
  let low = i16x8.splat(0),
    high = i16x8.splat(0);
  let room = CELLS;
  for (; rows > 0; rows--, cell += rowBytes) {
    let at = cell;
    for (let left = columns; left > 0; ) {
      const run = min<i32>(left, room);
      left -= run;
      room -= run;
      for (const end = at + <usize>run * columnBytes; at != end; at += columnBytes) {
        low = i16x8.add(low, v128.load8x8_s(at));
        high = i16x8.add(high, v128.load8x8_s(at, 8));
      }
      if (room == 0) {
        flush(low, high);
        low = i16x8.splat(0);
        high = i16x8.splat(0);
        room = CELLS;
      }
    }
  }
  flush(low, high);
}

function flush(low: v128, high: v128): void {
  v128.store(SUMS, i32x4.add(v128.load(SUMS, 0), i32x4.extend_low_i16x8_s(low)), 0);
  v128.store(SUMS, i32x4.add(v128.load(SUMS, 16), i32x4.extend_high_i16x8_s(low)), 16);
  v128.store(SUMS, i32x4.add(v128.load(SUMS, 32), i32x4.extend_low_i16x8_s(high)), 32);
  v128.store(SUMS, i32x4.add(v128.load(SUMS, 48), i32x4.extend_high_i16x8_s(high)), 48);
}
