// The contract between the packer and the core, compiled by asc and imported by tsc, so that the two cannot disagree:
// operator codes, kernel codes, and the word index of every field of a step; those of float32 steps are in floatAbi.ts.
// Invariant: codes are append-only and never reused; a change of a layout bumps ABI_VERSION. Nothing but constants here.
//
//   model memory, at `base` in the core's linear memory (all offsets below are from `base`)
//
//   0            stepOffset                     imageBytes                        totalBytes
//   ├ plan header ┼ io records ┼ steps ┼ params ──┼ arena: state, inputs, tensors, scratch, outputs ┤
//   │             read only: copied verbatim      │   the only bytes that a step may write    │
//   a step is STEP_WORDS little-endian 32-bit words:
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
 *   0       4         6          8          24           28         32
 *   ├ magic ┼ version ┼ reserved ┼ model id ┼ stateBytes ┼ CRC-32C ──┼ state ┤
 *     u32     u16       u16, 0     4 × u32    u32          of the header before it and of the state
 */
export const enum StateFile {
  Magic = 0x54534f4d, // "MOST"
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
  /** fully binary: Conv's fields, dilation 1 */
  BinaryConv2d = 21,
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
  Attention = 61,
  Normalize = 62,
  Embedding = 63,
  MeanPool = 64,
  Spectrum = 65,
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
/** The same where sums saturate in int16 on the way: x86 without VNNI, where a dot into int16 is the faster one. */
export const RELAXED_WORDS = 65534;

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
  /** depthwise: 1 where H stands for the picture's width and W for its height, in all fields */
  Turned = 28,
  /** Int4Groups: inputs of a group, a multiple of 16 */
  GroupSize = 29,
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
  /** as Int8, no weight being −128; Int7: all in −64 … 63. For the relaxed dot (tools/pack/relaxed.ts) */
  Int8Symmetric = 5,
  Int7 = 6,
  /** conv2d and fullyConnected: int8 × int8, groups of zero weights left out (tools/pack/sparse.ts) */
  Sparse = 20,
  /** the same with weights of four bits */
  SparseNibbles = 21,
  /** int8 activations × four-bit weights, here and below in blocks of tools/pack/fewBits.ts; conv2d and fullyConnected */
  Int4 = 10,
  /** the same looked up in a table of sixteen seven-bit values */
  Codebook = 11,
  /** two bits: −1, 0, 1; one bit: −1, 1 */
  Ternary = 12,
  Binary = 13,
  /** four bits with a scale for every group of inputs */
  Int4Groups = 14,
}

export const enum Dense {
  Rows = 8,
  InC = 9,
  OutC = 10,
  OutZero = 11,
  Min = 12,
  Max = 13,
  /** Int4Groups: inputs of a group, a multiple of 16, and the input's zero point */
  GroupSize = 14,
  InZero = 15,
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
