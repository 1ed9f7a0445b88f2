// Which importer makes nodes of which builtin operator. Invariant: an operator that is not here is
// reported by its name, never skipped.

import { BuiltinOperator } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { batchMatmul } from "./batchMatmul.ts";
import { conv2d, depthwiseConv2d, transposeConv } from "./conv.ts";
import { add, clamp, leakyRelu, mul, softmax, squaredDifference, sub, unary } from "./elementwise.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { concatenation, pack, split, splitV, unpack } from "./join.ts";
import { lstm } from "./lstm.ts";
import { pad, padV2 } from "./pad.ts";
import { averagePool2d, maxPool2d, mean } from "./pool.ts";
import { dequantize, quantize } from "./quantize.ts";
import { expandDims, reshape, squeeze } from "./reshape.ts";
import { resizeBilinear, resizeNearest } from "./resize.ts";
import { slice, stridedSlice } from "./slice.ts";
import { transpose } from "./transpose.ts";

export type OperatorImporter = (op: OperatorContext) => void;

export const IMPORTERS: ReadonlyMap<number, OperatorImporter> = new Map<number, OperatorImporter>([
  [BuiltinOperator.CONV_2D, conv2d],
  [BuiltinOperator.DEPTHWISE_CONV_2D, depthwiseConv2d],
  [BuiltinOperator.TRANSPOSE_CONV, transposeConv],
  [BuiltinOperator.FULLY_CONNECTED, fullyConnected],
  [BuiltinOperator.AVERAGE_POOL_2D, averagePool2d],
  [BuiltinOperator.MAX_POOL_2D, maxPool2d],
  [BuiltinOperator.MEAN, mean],
  [BuiltinOperator.ADD, add],
  [BuiltinOperator.SUB, sub],
  [BuiltinOperator.MUL, mul],
  [BuiltinOperator.SQUARED_DIFFERENCE, squaredDifference],
  [BuiltinOperator.RELU, clamp(0, Number.POSITIVE_INFINITY)],
  [BuiltinOperator.RELU6, clamp(0, 6)],
  [BuiltinOperator.RELU_N1_TO_1, clamp(-1, 1)],
  [BuiltinOperator.RELU_0_TO_1, clamp(0, 1)],
  [BuiltinOperator.LEAKY_RELU, leakyRelu],
  [BuiltinOperator.HARD_SWISH, unary("hardSwish")],
  [BuiltinOperator.LOGISTIC, unary("logistic")],
  [BuiltinOperator.TANH, unary("tanh")],
  [BuiltinOperator.RSQRT, unary("rsqrt")],
  [BuiltinOperator.SOFTMAX, softmax],
  [BuiltinOperator.RESHAPE, reshape],
  [BuiltinOperator.SQUEEZE, squeeze],
  [BuiltinOperator.EXPAND_DIMS, expandDims],
  [BuiltinOperator.TRANSPOSE, transpose],
  [BuiltinOperator.PAD, pad],
  [BuiltinOperator.PADV2, padV2],
  [BuiltinOperator.CONCATENATION, concatenation],
  [BuiltinOperator.PACK, pack],
  [BuiltinOperator.SPLIT, split],
  [BuiltinOperator.SPLIT_V, splitV],
  [BuiltinOperator.UNPACK, unpack],
  [BuiltinOperator.SLICE, slice],
  [BuiltinOperator.STRIDED_SLICE, stridedSlice],
  [BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, resizeNearest],
  [BuiltinOperator.RESIZE_BILINEAR, resizeBilinear],
  [BuiltinOperator.BATCH_MATMUL, batchMatmul],
  [BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM, lstm],
  [BuiltinOperator.QUANTIZE, quantize],
  [BuiltinOperator.DEQUANTIZE, dequantize],
]);
