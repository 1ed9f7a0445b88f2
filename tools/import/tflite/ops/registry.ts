// Which importer makes nodes of which builtin operator. Invariant: an operator that is not here is
// reported by its name, never skipped.

import { BuiltinOperator } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { conv2d, depthwiseConv2d, transposeConv } from "./conv.ts";
import { add, clamp, leakyRelu, mul, softmax, squaredDifference, sub, unary } from "./elementwise.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { averagePool2d, maxPool2d, mean } from "./pool.ts";
import { expandDims, reshape, squeeze } from "./reshape.ts";

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
]);
