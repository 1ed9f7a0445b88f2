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
  /** the recurrent weights are made int16 in the scratch by each run */
  Widened = 32,
}

/** Multi-head attention: assembly/ops/attention.ts has the rule. params: 1024 int16, 4095 · exp(−i/64). */
export const enum Attention {
  Batch = 8,
  Queries = 9,
  Keys = 10,
  Heads = 11,
  /** of keys and values; divides Heads */
  KeyHeads = 12,
  /** width of one head */
  Width = 13,
  QZero = 14,
  KZero = 15,
  VZero = 16,
  OutZero = 17,
  /** float32 bits: from differences of scores to steps of the table; from sums of values to the output, times Σ e */
  ScoreScale = 18,
  OutScale = 19,
  /** bits of AttentionFlag */
  Flags = 20,
  /** the zero point of int8 counts */
  CountZero = 21,
  /** places: the values; how many keys of each batch count */
  Values = 22,
  Counts = 23,
}

export const enum AttentionFlag {
  /** query i sees keys 0 … i + Keys − Queries */
  Causal = 1,
  /** Counts holds int32 (or, with CountsInt8, int8) */
  Counted = 2,
  CountsInt8 = 4,
  /** the last keys count, not the first */
  CountsLast = 8,
}

/** layerNorm and rmsNorm over rows; assembly/ops/normalize.ts. params: gain, then offset, Width float32 each. Kernel: NormalizeKernel. */
export const enum Normalize {
  Rows = 8,
  Width = 9,
  InZero = 10,
  OutZero = 11,
  /** float32 bits: epsilon · Width² / s_x² */
  Epsilon = 12,
}

export const enum NormalizeKernel {
  Layer = 0,
  Rms = 1,
}

/** Rows of a constant table, picked by int32 numbers that are clamped to it. params: the table. */
export const enum Embedding {
  Count = 8,
  Entries = 9,
  RowBytes = 10,
}

/** The mean of the first `counts[b]` rows of [Batch, Rows, Width]; Step.Input2 holds the counts, int32. */
export const enum MeanPool {
  Batch = 8,
  Rows = 9,
  Width = 10,
  InZero = 11,
  OutZero = 12,
  /** float32 bits: s_x / s_y */
  Scale = 13,
}

/** Frames of sound to the logarithm of mel bands, or to MFCC: assembly/ops/spectrum.ts has the rule and the params. Kernel: SpectrumKernel. */
export const enum Spectrum {
  Samples = 8,
  Frames = 9,
  Hop = 10,
  WindowLength = 11,
  /** a power of two */
  FftLength = 12,
  Bands = 13,
  Outputs = 14,
  /** bits of SpectrumFlag */
  Flags = 15,
  /** weights of all bands together */
  Weights = 16,
  OutZero = 17,
  /** float32 bits */
  PreEmphasis = 18,
  PowerScale = 19,
  Floor = 20,
  LogScale = 21,
  Scale = 22,
  Offset = 23,
  Low = 24,
  High = 25,
  OutScale = 26,
}

export const enum SpectrumKernel {
  Float32 = 0,
  Int16 = 1,
}

export const enum SpectrumFlag {
  /** samples are divided by the largest of them */
  Peak = 1,
  /** bands sum magnitudes, not powers */
  Magnitude = 2,
  /** the bands' logarithms are multiplied by a matrix of Outputs rows */
  Matrix = 4,
  /** quantizes towards zero, as the published pipelines do, not to the nearest */
  Truncate = 8,
}
