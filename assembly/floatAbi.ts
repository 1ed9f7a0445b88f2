// The contract of the float32 steps, beside abi.ts and by its rules: function and kernel codes, and the word index of
// every field. Invariant: codes are append-only; this file holds nothing but constants and imports nothing.

/** y[i] = f(x[i]), values of four bytes. Kernel: MapFn. A and B are float32 bits, or int32 for the int functions. */
export const enum MapField {
  Count = 8,
  A = 9,
  B = 10,
}

/** Functions of one value. Float32 to float32 below IsNan; what they compute is in tools/ops/floatMath.ts. */
export const enum MapFn {
  Neg = 0,
  Abs = 1,
  Floor = 2,
  Ceil = 3,
  Round = 4,
  Sign = 5,
  Sqrt = 6,
  Reciprocal = 7,
  Exp = 8,
  Log = 9,
  Sin = 10,
  Cos = 11,
  Tanh = 12,
  Sigmoid = 13,
  Erf = 14,
  Gelu = 15,
  GeluTanh = 16,
  LeakyRelu = 17,
  Elu = 18,
  Softplus = 19,
  HardSigmoid = 20,
  HardSwish = 21,
  Clip = 22,
  Affine = 23,
  ThresholdedRelu = 24,
  Silu = 25,
  Atan = 26,
  /** float32 → int32 from here */
  IsNan = 32,
  IsInf = 33,
  ToInt = 34,
  /** int32 → float32 */
  FromInt = 48,
  /** int32 → int32 from here */
  IntNeg = 49,
  IntAbs = 50,
  Not = 51,
  BitNot = 52,
  And = 53,
  /** the low B bits, signed where A is not 0 */
  Wrap = 54,
  IntClip = 55,
}

/** Broadcasts over four axes as Binary does; kernel: ZipFn. Words 8 … 19 as Binary. */
export const enum ZipFn {
  Add = 0,
  Sub = 1,
  Mul = 2,
  Div = 3,
  Min = 4,
  Max = 5,
  Pow = 6,
  /** sign of the divisor */
  Mod = 7,
  /** sign of the dividend */
  Fmod = 8,
  Prelu = 9,
  /** → int32 0 or 1 */
  Equal = 10,
  Less = 11,
  LessEqual = 12,
  /** where a (int32) is not 0 the output becomes b, elsewhere it stays as it is */
  Choose = 13,
  /** int32: the codes above plus this */
  Int = 32,
  IntAnd = 46,
  IntOr = 47,
  IntXor = 48,
  IntShiftLeft = 49,
  /** unsigned */
  IntShiftRight = 50,
}

/** Reduces the middle axis of [Outer, Reduce, Inner]. Kernel: ReduceFn. */
export const enum ReduceField {
  Outer = 8,
  Reduce = 9,
  Inner = 10,
  /** 1: int32 in and out */
  Integer = 11,
}

export const enum ReduceFn {
  Sum = 0,
  Mean = 1,
  Max = 2,
  Min = 3,
  Prod = 4,
  SumSquare = 5,
  SumAbs = 6,
  Norm = 7,
  LogSum = 8,
  LogSumExp = 9,
  /** → int32: the first of the greatest, the last of them, the first of the least, the last */
  ArgMax = 10,
  ArgMaxLast = 11,
  ArgMin = 12,
  ArgMinLast = 13,
}

/** out[i,j,m,n] = clamp(bias[n] + Σk a[i,j,m,k] · b[i,j,k,n]), summed in the order of k. Kernel: MatmulKernel. */
export const enum FloatMatmul {
  Batch0 = 8,
  Batch1 = 9,
  M = 10,
  N = 11,
  K = 12,
  /** elements from one batch to the next; 0 repeats */
  AStride0 = 13,
  AStride1 = 14,
  BStride0 = 15,
  BStride1 = 16,
  /** float32 bits */
  Min = 17,
  Max = 18,
}

export const enum MatmulKernel {
  /** params: blocks of eight outputs, ├ bias ×8 ┼ b[0] ×8 ┼ b[1] ×8 … ┤ */
  Constant = 0,
  /** input2: b as [K,N]; blocks are made in scratch */
  Rows = 1,
  /** input2: b as [N,K] */
  Columns = 2,
  /** int32 in place of float32: the codes above plus this; sums wrap */
  Int = 4,
}

/** Three spatial axes, channels last: [Batch, InD, InH, InW, InC]. */
export const enum FloatConv {
  Batch = 8,
  In0 = 9,
  InC = 12,
  Out0 = 13,
  OutC = 16,
  Kernel0 = 17,
  Stride0 = 20,
  Dilation0 = 23,
  /** before the first */
  Pad0 = 26,
  Groups = 29,
  /** float32 bits */
  Min = 30,
  Max = 31,
}

export const enum FloatConvKernel {
  /** params: for each group the blocks of MatmulKernel.Constant over [tap][channel] */
  Groups = 0,
  /** one output a channel. params: ├ bias ×C ┼ tap 0 ×C ┼ tap 1 ×C … ┤ */
  Depthwise = 1,
}

/** Words 8 … 15 and 17 … 28 as FloatConv. Kernel: FloatPoolKernel. */
export const enum FloatPool {
  /** cells of padding count: those up to EndPad past the input, an axis each */
  CountPad = 16,
  EndPad0 = 29,
}

export const enum FloatPoolKernel {
  Max = 0,
  Average = 1,
  /** int32 place of the maximum among the spatial cells */
  ArgMax = 2,
}

export const enum FloatSoftmax {
  Rows = 8,
  Depth = 9,
  /** 1: its logarithm */
  Log = 10,
}

/** (x − mean) / sqrt(variance + Epsilon) · gain + shift over the last axis. params: ├ gain ×Depth ┼ shift ×Depth ┤ */
export const enum FloatNorm {
  Rows = 8,
  Depth = 9,
  /** float32 bits */
  Epsilon = 10,
  /** 1: the mean is taken as 0 (RMS) */
  Rms = 11,
}

/** out[o, i, :] = in[o, index[i], :]; input2: int32 indices, negative ones from the end, clamped into the axis. */
export const enum Gather {
  Outer = 8,
  AxisDim = 9,
  InnerBytes = 10,
  Count = 11,
}

/** out[o, j, i] = bias[j] + Σt weight[j,t] · in[o, index[j,t], i]. params: for each j ├ bias ┼ (index, weight) × Taps ┤ */
export const enum Resample {
  Outer = 8,
  InDim = 9,
  Inner = 10,
  OutDim = 11,
  Taps = 12,
}

/**
 * A recurrent layer after its input products. input: [Steps, Batch, gates × Units], input2: ├ h ┼ c ┤ of [Batch, Units],
 * output: ├ every h: [Steps, Batch, Units] ┼ last h ┼ last c ┤. params: ├ lengths int32 × Batch ┼ blocks of each gate as
 * MatmulKernel.Constant ┼ peepholes i, o, f × Units ┤. Kernel: RecurrentKernel.
 */
export const enum FloatRecurrent {
  Steps = 8,
  Batch = 9,
  Units = 10,
  Reverse = 11,
  /** MapFn of gates, candidate and output */
  GateFn = 12,
  CandidateFn = 13,
  OutputFn = 14,
  Peepholes = 15,
  /** float32 bits of A for CandidateFn and OutputFn */
  Alpha = 16,
  /** float32 bits: the cell state stays within ± this; 0 for no limit */
  CellClip = 17,
}

export const enum RecurrentKernel {
  /** gates z, r, h; the reset is applied to h before the product */
  GruResetBefore = 0,
  /** the reset is applied to the product */
  GruResetAfter = 1,
  /** gates i, o, f, c */
  Lstm = 2,
  Rnn = 3,
}
