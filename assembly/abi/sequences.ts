// The contract's part for sequences: the fields of the steps that recurrent nets, attention and front ends are made of;
// see ../abi.ts, which has their codes. Invariant: as there; holds nothing but constants and imports nothing.

/**
 * A recurrent layer in one direction over a whole sequence: assembly/ops/recurrent.ts has the rule and the params.
 * Strides in elements. Kernel: RecurrentKernel.
 */
export const enum Recurrent {
  Batch = 8,
  Time = 9,
  InC = 10,
  Units = 11,
  XBatchStride = 12,
  XTimeStride = 13,
  YBatchStride = 14,
  YTimeStride = 15,
  /** bits of RecurrentFlag */
  Flags = 16,
  HiddenZero = 17,
  /** float32 bits: from the state's integers to Q0.15, and back */
  HiddenScale = 18,
  HiddenInverse = 19,
  YZero = 20,
  /** float32 bits: from Q0.15 to y's integers */
  YInverse = 21,
  /** fraction bits of the cell state as int16 */
  CellBits = 22,
  /** places: the two tables, the last h, the first and the last cell state; the first h is Step.Input2 */
  Tables = 23,
  HiddenOut = 24,
  CellIn = 25,
  CellOut = 26,
  /** the cell state stays within ± this; 32768 for no limit */
  CellClip = 27,
}

export const enum RecurrentKernel {
  Rnn = 0,
  GruResetAfter = 1,
  GruResetBefore = 2,
  Lstm = 3,
}

export const enum RecurrentFlag {
  Reverse = 1,
  /** the state, y, the cell state are int16; else int8 */
  HiddenWide = 2,
  YWide = 4,
  CellWide = 8,
  /** Step.Input2 (and CellIn) hold the first state; else it is zero */
  Starts = 16,
}
