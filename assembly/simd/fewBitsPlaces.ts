// Where the tiles for weights of few bits leave their sums, and the table that they look codes up in.
// Invariant: of one step at a time.
//
//   sums: pixel 0 ├ i32×8: outputs 0 … 7 ┤ pixel 1 ├ … ┤ … up to 5 pixels     one pixel: ├ block 0 ┼ block 1 ┼ 2 ┼ 3 ┤

/** Σ x·u of the last tile; pixels are finished in twos, so there is room for a sixth. */
export const sums: usize = memory.data(192, 16);
/** Sixteen values, 0 … 127. */
export const table: usize = memory.data(16, 16);

/** Masks, in memory because engines would make a constant anew for every use: bytes of 15, int16 of 15, int16 of 255. */
export const fifteen: usize = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);
export const fifteenWords: usize = memory.data<u16>([15, 15, 15, 15, 15, 15, 15, 15], 16);
export const byteWords: usize = memory.data<u16>([255, 255, 255, 255, 255, 255, 255, 255], 16);
