// The graph: what importers make, passes rewrite and the packer lowers. Small and typed.
// Invariant: every tensor id in `nodes`, `inputs` and `outputs` indexes `tensors`; nodes are in
// execution order; activations are NHWC; weights of conv2d are [outC, kH, kW, inC], of
// depthwiseConv2d [1, kH, kW, outC], of transposedConv2d [outC, kH, kW, inC], of fullyConnected [outC, inC];
// a bias has the scale s_x · s_w[channel], which it does not say itself.

import type { Heads, Recurrent, SpectrumSettings } from "./sequences.ts";

export type DType = "int8" | "uint8" | "int16" | "int32" | "int64" | "float32" | "bool";

export type TensorData = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array | Float32Array;

/** real = scale[c] · (q − zeroPoint[c]); one entry per tensor, or one per index of `axis`. */
export interface Quantization {
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  /** the quantized axis; meaningful only when `scale.length > 1` */
  readonly axis: number;
  /**
   * Weights of conv2d and fullyConnected only: so many consecutive inputs of an output share a scale, starting anew with
   * every kernel row (`groupsOf` counts them); `scale` and `zeroPoint` are [outputs × groups]. The bias is at the scale
   * of the output's first group.
   */
  readonly groupSize?: number;
}

/**
 * How few values constant weights have, whose `data` holds them as int8 all the same: the packer may store them in as
 * many bits, and the result is that of the int8 values. Checked by `checkCoding`.
 *
 * - int4: −8 … 7, zero points too
 * - codebook: at most 16 different values, at most 127 apart; zero point 0
 * - binary: −1 and 1; zero point 0
 * - ternary: −1, 0 and 1; zero point 0
 */
export type Coding = "int4" | "codebook" | "binary" | "ternary";

export interface Tensor {
  readonly name: string;
  /** row-major, every dimension ≥ 1 and static; [] is a scalar */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly quant?: Quantization;
  /** present for constants only */
  readonly data?: TensorData;
  /** weights only; absent where they are int8 or uint8 */
  readonly coding?: Coding;
}

/** A fused activation, applied to the real value before it is quantized. */
export type Activation = "none" | "relu" | "relu6" | "reluN1To1";

export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface Window {
  readonly strideH: number;
  readonly strideW: number;
  readonly padding: Padding;
  readonly activation: Activation;
}

/** Each operator's attributes. Inputs are positional; `?` marks one that may be −1 (absent). */
export interface Attributes {
  /** x, weights, bias? */
  conv2d: Window & { readonly dilationH: number; readonly dilationW: number };
  /** x, weights, bias?; output channel c·multiplier + m reads input channel c */
  depthwiseConv2d: Window & { readonly dilationH: number; readonly dilationW: number; readonly multiplier: number };
  /** x, weights, bias?; padding is what is cut from the full output; outH and outW say its size */
  transposedConv2d: Window & { readonly outH: number; readonly outW: number };
  /** x, weights (binary, [outC, kH, kW, inC]), bias? (at the weights' scale); of x only the signs: cells outside are 1 */
  binaryConv2d: Window;
  /** x, weights, bias?; x is read as [rows, inC] */
  fullyConnected: { readonly activation: Activation };
  /** x; padded cells are left out of the average; `unsigned`: the model's own values are uint8, which decides ties */
  averagePool2d: Window & { readonly kernelH: number; readonly kernelW: number; readonly unsigned?: boolean };
  maxPool2d: Window & { readonly kernelH: number; readonly kernelW: number };
  /** x; axes sorted, non-negative */
  mean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  /** a, b; NumPy broadcasting */
  add: { readonly activation: Activation };
  sub: { readonly activation: Activation };
  mul: { readonly activation: Activation };
  squaredDifference: { readonly activation: Activation };
  /** x; relu, relu6, relu_n1_to_1: output real value clamped to [min, max] */
  clamp: { readonly min: number; readonly max: number };
  leakyRelu: { readonly alpha: number };
  hardSwish: Record<string, never>;
  logistic: Record<string, never>;
  tanh: Record<string, never>;
  rsqrt: Record<string, never>;
  /** x; over the last axis */
  softmax: { readonly beta: number };
  /** x; [before, after] an axis, filled with the real value `value` (0 = the zero point) */
  pad: { readonly paddings: readonly (readonly [number, number])[]; readonly value: number };
  concat: { readonly axis: number; readonly activation: Activation };
  /** x; sizes along `axis`, one an output */
  split: { readonly axis: number; readonly sizes: readonly number[] };
  reshape: { readonly shape: readonly number[] };
  transpose: { readonly permutation: readonly number[] };
  /** x; per axis: first index, step (not 0), count; axes in `squeeze` (size 1) are dropped from the output shape */
  stridedSlice: {
    readonly begin: readonly number[];
    readonly strides: readonly number[];
    readonly sizes: readonly number[];
    readonly squeeze: readonly number[];
  };
  resizeNearest: {
    readonly outH: number;
    readonly outW: number;
    readonly alignCorners: boolean;
    readonly halfPixelCenters: boolean;
  };
  resizeBilinear: {
    readonly outH: number;
    readonly outW: number;
    readonly alignCorners: boolean;
    readonly halfPixelCenters: boolean;
  };
  /** a [..., M, K], b [..., K, N], or transposed in their last two axes */
  batchMatmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /**
   * x [batch, time, in], then five inputs for each direction: weights [3·units, in], recurrent weights [3·units, units],
   * bias?, recurrent bias? (int32, of the scales s_x · s_w and s_h · s_r), first h? [batch, units]; gates in the order
   * update, reset, new. Outputs: y [batch, time, directions · units], then each direction's last h. Weights are int8 with
   * zero point 0; the last h's dtype (int8, or int16 of scale 2^-15) is what the state is kept in. `resetAfter`: the reset
   * gate multiplies what the recurrent weights gave (Keras, PyTorch, ONNX's linear_before_reset), else their input.
   */
  gru: Recurrent & { readonly resetAfter: boolean };
  /**
   * As gru, with four gates in the order input, forget, cell, output and six inputs for each direction, the last one the first
   * cell state? [batch, units]; outputs y, then each direction's last h and last cell state (int16, or int8, of a scale
   * that is a power of two from 2^-15 to 1, times 256 for int8). `cellClip`: the cell state stays within ± this; 0 for no limit.
   */
  lstm: Recurrent & { readonly cellClip: number };
  /** As gru, with one gate: h = tanh(W x + R h + b). */
  rnn: Recurrent;
  /**
   * q [batch, queries, heads · width], k and v [batch, keys, keyHeads · width], counts? [batch] (int32, or int8 of scale 1):
   * softmax(scale · q kᵀ) v for each head, the heads in groups that share a head of k and v where keyHeads is smaller.
   * `causal`: query i sees keys 0 … i + keys − queries. `counted`: of the keys only the first, or the last, `counts` are there.
   */
  attention: Heads;
  /** x [..., width], gain [width] float32, offset? [width] float32: (x − mean) / √(variance + epsilon) · gain + offset over the last axis */
  layerNorm: { readonly epsilon: number };
  /** x, gain, offset? as layerNorm: x / √(mean of squares + epsilon) · gain + offset */
  rmsNorm: { readonly epsilon: number };
  /** x · Φ(x), or by its tanh approximation */
  gelu: { readonly approximate: boolean };
  /** x · σ(x) */
  silu: Record<string, never>;
  /**
   * samples (float32, or int16 as −1 … 1) → [frames, outputs] int8: log mel bands, or with `coefficients` MFCC.
   * tools/graph/frontEnds.ts has the published pipelines.
   */
  spectrum: SpectrumSettings;
  /** ids int32, table [entries, width] (constant): row `id` of the table, ids outside it clamped */
  embedding: Record<string, never>;
  /** x [batch, rows, width], counts [batch] int32: the mean of the first `counts` rows, [batch, width] */
  meanPool: Record<string, never>;
  /** float32 → int8, uint8 or int16 */
  quantize: Record<string, never>;
  /** int8, uint8 or int16 → float32 */
  dequantize: Record<string, never>;
  /** integer → integer of another dtype, scale or zero point */
  requantize: Record<string, never>;
  /** x, float32 or int32 (int8 → int8 of the float functions, by table); a and b are the function's constants */
  map: { readonly fn: MapName; readonly a: number; readonly b: number };
  /** a, b, both float32 or both int32; NumPy broadcasting; comparisons give int32 0 or 1 */
  zip: { readonly fn: ZipName };
  /** condition int32, a, b: a where the condition is not 0, b elsewhere; NumPy broadcasting */
  select: Record<string, never>;
  /** x, float32 or int32; axes sorted, non-negative; arg… give int32 and take one axis */
  reduce: { readonly fn: ReduceName; readonly axes: readonly number[]; readonly keepDims: boolean };
  /** a [..., M, K], b [..., K, N] (or [..., N, K]), bias [N]?; float32, clamped to [min, max], or int32 */
  floatMatmul: { readonly transposeB: boolean; readonly min: number; readonly max: number };
  /** x [N, one to three axes, C], weights [outC, as many, C / groups], bias?; float32, clamped to [min, max] */
  floatConv: Window3 & { readonly groups: number; readonly min: number; readonly max: number };
  /** x [N, one to three axes, C] float32; argMax gives the int32 place among D·H·W; countPad: cells of padding count in an average */
  floatPool: Window3 & {
    readonly kind: "max" | "average" | "argMax";
    readonly kernel: Triple;
    readonly padAfter: Triple;
    readonly countPad: boolean;
    readonly out: Triple;
  };
  /** x float32; over the last axis */
  floatSoftmax: { readonly log: boolean };
  /** x, gain [C], shift [C]; float32, over the last axis; rms leaves the mean out */
  floatNorm: { readonly epsilon: number; readonly rms: boolean };
  /** x, int32 indices (negative from the end, clamped into the axis) */
  gather: { readonly axis: number };
  /** x float32; out[j] = bias[j] + Σt weights[j·taps + t] · x[indices[j·taps + t]] along `axis` */
  resample: {
    readonly axis: number;
    readonly taps: number;
    readonly bias: readonly number[];
    readonly indices: readonly number[];
    readonly weights: readonly number[];
  };
  /**
   * x [steps, batch, inputs], W [gates · units, inputs], R [gates · units, units], bias [2, gates · units]?, first h
   * [batch, units]?, first c?, peepholes [3, units]?; outputs every h, the last h, and for an LSTM the last c. float32;
   * gates in ONNX's order: z r h (GRU), i o f c (LSTM). `lengths`: of each sequence, or [] for all steps
   */
  floatRecurrent: {
    readonly kind: "gruResetBefore" | "gruResetAfter" | "lstm" | "rnn";
    readonly reverse: boolean;
    readonly lengths: readonly number[];
    readonly gateFn: MapName;
    readonly candidateFn: MapName;
    readonly outputFn: MapName;
    readonly alpha: number;
    /** lstm: the cell state stays within ± this; 0 for no limit */
    readonly cellClip: number;
  };
}

export type Triple = readonly [number, number, number];

/** A window over depth, height and width; `pad` before the first cell. */
export interface Window3 {
  readonly stride: Triple;
  readonly dilation: Triple;
  readonly pad: Triple;
  /** after the last cell; floatConv reads it only for the output's size */
  readonly padAfter: Triple;
}

export type MapName =
  | "neg"
  | "abs"
  | "floor"
  | "ceil"
  | "round"
  | "sign"
  | "sqrt"
  | "reciprocal"
  | "exp"
  | "log"
  | "sin"
  | "cos"
  | "tanh"
  | "sigmoid"
  | "erf"
  | "gelu"
  | "geluTanh"
  | "leakyRelu"
  | "elu"
  | "softplus"
  | "hardSigmoid"
  | "hardSwish"
  | "clip"
  | "affine"
  | "thresholdedRelu"
  | "silu"
  | "atan"
  | "isNan"
  | "isInf"
  | "toInt"
  | "fromInt"
  | "not"
  | "bitNot"
  | "wrap";

export type ZipName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "pow"
  | "mod"
  | "fmod"
  | "prelu"
  | "equal"
  | "less"
  | "lessEqual"
  | "and"
  | "or"
  | "xor"
  | "shiftLeft"
  | "shiftRight";

export type ReduceName =
  | "sum"
  | "mean"
  | "max"
  | "min"
  | "prod"
  | "sumSquare"
  | "sumAbs"
  | "norm"
  | "logSum"
  | "logSumExp"
  | "argMax"
  | "argMaxLast"
  | "argMin"
  | "argMinLast";

export type OpName = keyof Attributes;

export type Node<K extends OpName = OpName> = {
  [P in K]: {
    readonly op: P;
    /** unique, for messages: usually the name of the first output */
    readonly name: string;
    readonly inputs: readonly number[];
    readonly outputs: readonly number[];
    readonly attrs: Attributes[P];
  };
}[K];

/**
 * A tensor that a run leaves to the next one: `input` has no producer and is neither a constant nor an input of the
 * model; it starts as the real value 0, and after each run holds what a node wrote to `output`, of the same type.
 */
export interface State {
  readonly input: number;
  readonly output: number;
}

export interface Graph {
  readonly name: string;
  readonly tensors: Tensor[];
  readonly nodes: Node[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** inputs and outputs that the caller sees as float32 although the tensor is an integer: the host converts */
  readonly edges?: ReadonlyMap<number, "float32">;
  /** what a streaming model keeps between runs */
  readonly states?: readonly State[];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  int8: 1,
  uint8: 1,
  bool: 1,
  int16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
};

/** A typed array of `dtype` with `count` zeros. */
export function zeros(dtype: DType, count: number): TensorData {
  switch (dtype) {
    case "int8":
      return new Int8Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
    case "int16":
      return new Int16Array(count);
    case "int32":
      return new Int32Array(count);
    case "int64":
      return new BigInt64Array(count);
    case "float32":
      return new Float32Array(count);
  }
}
