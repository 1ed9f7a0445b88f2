// The contract between the packer and the core, compiled by asc and imported by tsc, so that the
// two cannot disagree: operator codes, kernel codes, and the word index of every field of a step.
// Invariant: codes are append-only and never reused; a change of a layout bumps ABI_VERSION.
// This file holds nothing but constants; it may import nothing.
//
//   model memory, at `base` in the core's linear memory (all offsets below are from `base`)
//
//   0            stepOffset                     imageBytes                        totalBytes
//   ├ plan header ┼ io records ┼ steps ┼ params ──┼ arena: state, inputs, tensors, scratch, outputs ┤
//   │             read only: copied verbatim      │   the only bytes that a step may write    │
//
//   a step is STEP_WORDS little-endian 32-bit words:
//
//   word  0   1       2      3       4       5       6        7             8 …… 31
//       ├ op ┼ kernel ┼ input ┼ input2 ┼ output ┼ params ┼ scratch ┼ scratchBytes ┼ operator's own fields ┤

export const ABI_VERSION = 2;
/** The integer rules of README "Numerics". A model packed under another version is refused. */
export const NUMERICS_VERSION = 1;
export const STEP_WORDS = 32;
/** Bytes past `totalBytes` that the host adds, so that vector loads may run past a tensor's end. */
export const SLACK_BYTES = 64;

/** Word indices of the plan header at offset 0 of the image. */
export const enum Plan {
  AbiVersion = 0,
  NumericsVersion = 1,
  StepCount = 2,
  StepOffset = 3,
  ImageBytes = 4,
  TotalBytes = 5,
  InputCount = 6,
  OutputCount = 7,
  /** Offset of the io records: inputs, then outputs; two words each (offset, bytes). */
  IoOffset = 8,
  /** The state: the arena bytes that keep their values from one run to the next. All zero where there is none. */
  StateOffset = 9,
  StateBytes = 10,
  /** Offset in the image of as many bytes that a fresh state holds. */
  StateInit = 11,
  /** The first of four words that name the model in a saved state: SHA-256 of the image with these words zero. */
  ModelId = 12,
  Words = 16,
}

/**
 * A saved state: the header, then Plan.StateBytes bytes of the arena, the same on every build, engine and machine.
 *
 *   0       4         6          8          24           28         32
 *   ├ magic ┼ version ┼ reserved ┼ model id ┼ stateBytes ┼ CRC-32C ──┼ state ┤
 *     u32     u16       u16, 0     4 × u32    u32          of the header before it and of the state
 */
export const enum StateFile {
  /** "MOST" */
  Magic = 0x54534f4d,
  Version = 1,
  VersionOffset = 4,
  ModelIdOffset = 8,
  BytesOffset = 24,
  CrcOffset = 28,
  HeaderBytes = 32,
}

export const enum Op {
  Conv2d = 1,
  DepthwiseConv2d = 2,
  TransposedConv2d = 3,
  FullyConnected = 4,
  AveragePool2d = 5,
  MaxPool2d = 6,
  Mean = 7,
  Add = 8,
  Mul = 9,
  SquaredDifference = 10,
  Lookup = 11,
  Softmax = 12,
  Copy = 13,
  Fill = 14,
  ResizeNearest = 15,
  ResizeBilinear = 16,
  BatchMatmul = 17,
  Quantize = 18,
  Dequantize = 19,
  Requantize = 20,
  /** one value to one: MapFn; float32 or int32 */
  Map = 30,
  /** two values to one, broadcasting: ZipFn; float32 or int32 */
  Zip = 31,
  Reduce = 32,
  FloatMatmul = 33,
  FloatConv = 34,
  FloatPool = 35,
  FloatSoftmax = 36,
  FloatNorm = 37,
  Gather = 38,
  Resample = 39,
  FloatRecurrent = 40,
  Recurrent = 60,
}

/** What `load` and `run` return. */
export const enum Status {
  Ok = 0,
  /** run before a successful load */
  NotLoaded = 1,
  /** the plan was made for another ABI_VERSION */
  AbiVersion = 2,
  /** the plan was made for another NUMERICS_VERSION */
  NumericsVersion = 3,
  /** the plan header's sizes or counts do not fit the memory */
  Header = 4,
  /** this build has no such operator */
  Operator = 5,
  /** this build has no such kernel of the operator */
  Kernel = 6,
  /** a dimension, stride or count is out of range */
  Shape = 7,
  /** the step would read outside the model's memory */
  Read = 8,
  /** the step would write outside the arena */
  Write = 9,
  /** the step's constants lie outside the read-only image or hold a value out of range */
  Params = 10,
  /** the step's scratch lies outside the arena or is too small */
  Scratch = 11,
}

/** Which core this is; the export `build`. */
export const enum Build {
  Scalar = 0,
  Simd = 1,
  /** the relaxed build, on an engine where it computes right and wins */
  Relaxed = 2,
  /** the same, where it computes right but the simd build is faster */
  RelaxedSlow = 3,
  /** the same, where the known answers came out wrong: never to be used */
  RelaxedWrong = 4,
}

/** What the relaxed dot makes of 127 · −1, four times, where the relaxed build wins; assembly/simd/relaxedTest.ts says why. */
export const RELAXED_WINS = 129540;

/** Words common to every step. Offsets are from the model's base. */
export const enum Step {
  Op = 0,
  Kernel = 1,
  Input = 2,
  Input2 = 3,
  Output = 4,
  Params = 5,
  Scratch = 6,
  ScratchBytes = 7,
}

/** conv2d, depthwiseConv2d and transposedConv2d: NHWC, padding before the first row and column. */
export const enum Conv {
  Batch = 8,
  InH = 9,
  InW = 10,
  InC = 11,
  OutH = 12,
  OutW = 13,
  OutC = 14,
  KernelH = 15,
  KernelW = 16,
  StrideH = 17,
  StrideW = 18,
  DilationH = 19,
  DilationW = 20,
  PadTop = 21,
  PadLeft = 22,
  InZero = 23,
  OutZero = 24,
  Min = 25,
  Max = 26,
  /** Winograd: rows of tiles that are multiplied together */
  Band = 27,
}

export const enum ConvKernel {
  /** int8 activations × int8 weights, params in blocks of eight outputs (tools/pack/blocks.ts) */
  Int8 = 0,
  /** int8 activations × int16 weights: uint8 weights less their zero point need nine bits */
  Int8Wide = 1,
  /** int16 activations × int8 weights, 64-bit sums (tools/pack/wideSums.ts) */
  Int16 = 2,
  /** the same where TFLite sums in 32 bits, because the bias is int32; conv2d only */
  Int16Narrow = 3,
  /** Int8's params; conv2d only: 3×3 with stride 1 by Winograd's F(4×4, 3×3) in exact integers; `load` writes at Input2 */
  Winograd = 4,
  /** conv2d and fullyConnected: int8 × int8, groups of zero weights left out (tools/pack/sparse.ts) */
  Sparse = 20,
  /** the same with weights of four bits */
  SparseNibbles = 21,
}

export const enum Dense {
  Rows = 8,
  InC = 9,
  OutC = 10,
  OutZero = 11,
  Min = 12,
  Max = 13,
}

export const enum Pool {
  Batch = 8,
  InH = 9,
  InW = 10,
  Channels = 11,
  OutH = 12,
  OutW = 13,
  KernelH = 14,
  KernelW = 15,
  StrideH = 16,
  StrideW = 17,
  PadTop = 18,
  PadLeft = 19,
  Min = 20,
  Max = 21,
  /** averagePool2d: 128 rounds ties as the uint8 values of the source model would, 0 as int8 */
  Offset = 22,
}

/** Reduces the middle axis of [Outer, Reduce, Inner]. */
export const enum Mean {
  Outer = 8,
  Reduce = 9,
  Inner = 10,
  /** float32 bits */
  Scale = 11,
  /** float32 bits: the output's zero point less the input's, scaled */
  Zero = 12,
  Min = 13,
  Max = 14,
}

/** Broadcasting binary operators over four axes; a stride of 0 repeats. Strides in elements. */
export const enum Binary {
  Dim0 = 8,
  Dim1 = 9,
  Dim2 = 10,
  Dim3 = 11,
  AStride0 = 12,
  AStride1 = 13,
  AStride2 = 14,
  AStride3 = 15,
  BStride0 = 16,
  BStride1 = 17,
  BStride2 = 18,
  BStride3 = 19,
  OutZero = 20,
  Min = 21,
  Max = 22,
  /** the operator's own constants: see AddField, MulField, SquaredDifferenceField */
  Own = 23,
}

export const enum AddField {
  AMultiplier = 23,
  BMultiplier = 24,
  Bias = 25,
  Shift = 26,
}

export const enum MulField {
  AZero = 23,
  BZero = 24,
  /** float32 bits */
  Scale = 25,
}

export const enum SquaredDifferenceField {
  AZero = 23,
  BZero = 24,
  AMultiplier = 25,
  AShift = 26,
  BMultiplier = 27,
  BShift = 28,
  OutMultiplier = 29,
  OutShift = 30,
}

export const enum Lookup {
  Count = 8,
}

export const enum LookupKernel {
  /** params: 256 output bytes, indexed by the input byte read as unsigned */
  Table = 0,
  /** flips the top bit: uint8 ↔ int8 of one scale; no params */
  Flip = 1,
}

/** params: 256 int32, exp of (value − maximum) for 0 … −255 in Q0.31; 0 where the rule drops it */
export const enum Softmax {
  Rows = 8,
  Depth = 9,
}

/** Copies a strided box. Strides in elements; input strides may be negative. */
export const enum Copy {
  ElementBytes = 8,
  Dim0 = 9,
  InStride0 = 15,
  OutStride0 = 21,
  Rank = 6,
}

export const enum Fill {
  Bytes = 8,
  /** the low byte, or for ElementBytes 2 and 4 the low 2 or 4 bytes, is repeated */
  Value = 9,
  ElementBytes = 10,
}

/** nearest params: OutH then OutW int32 source indices. bilinear params: see assembly/ops/resizeBilinear.ts */
export const enum Resize {
  Batch = 8,
  InH = 9,
  InW = 10,
  Channels = 11,
  OutH = 12,
  OutW = 13,
}

/** out[b,m,n] = Σk a[b,m,k]·b[b,k,n], b given as [K,N] or, with TransposedB, as [N,K]. */
export const enum BatchMatmul {
  Batch = 8,
  M = 9,
  N = 10,
  K = 11,
  /** elements from one batch to the next; 0 repeats */
  ABatchStride = 12,
  BBatchStride = 13,
  AZero = 14,
  BZero = 15,
  OutZero = 16,
  /** float32 bits */
  Scale = 17,
  Min = 18,
  Max = 19,
  TransposedB = 20,
}

/** quantize: float32 → integer; dequantize: integer → float32. Kernel: IntegerKind. */
export const enum Affine {
  Count = 8,
  /** float32 bits */
  Scale = 9,
  Zero = 10,
}

export const enum IntegerKind {
  Int8 = 0,
  Uint8 = 1,
  Int16 = 2,
}

/** Rescales between int16 and other integers by a Q31 multiplier. Kernel: RequantizeKernel. */
export const enum Requantize {
  Count = 8,
  Multiplier = 9,
  Shift = 10,
  InZero = 11,
  OutZero = 12,
  Min = 13,
  Max = 14,
}

export const enum RequantizeKernel {
  Int16ToInt16 = 0,
  Int16ToInt8 = 1,
  Int8ToInt16 = 2,
  Int32ToInt16 = 3,
  Int16ToInt32 = 4,
}

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
