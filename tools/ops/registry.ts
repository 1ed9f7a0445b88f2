// Every operator the tools know, by name. Invariant: one file of this folder each; adding an operator
// means a line here, a case in assembly/execute.ts if it needs a new step, and a test.

import { ToolError } from "../errors.ts";
import type { OpName } from "../graph/graph.ts";
import { add } from "./add.ts";
import { attention } from "./attention.ts";
import { averagePool2d } from "./averagePool2d.ts";
import { batchMatmul } from "./batchMatmul.ts";
import { binaryConv2d } from "./binaryConv2d.ts";
import { clamp } from "./clamp.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { depthwiseConv2d } from "./depthwiseConv2d.ts";
import { dequantize } from "./dequantize.ts";
import { embedding } from "./embedding.ts";
import { floatConv } from "./floatConv.ts";
import { floatMatmul } from "./floatMatmul.ts";
import { floatNorm } from "./floatNorm.ts";
import { floatPool } from "./floatPool.ts";
import { floatRecurrent } from "./floatRecurrent.ts";
import { floatSoftmax } from "./floatSoftmax.ts";
import { fullyConnected } from "./fullyConnected.ts";
import { gather } from "./gather.ts";
import { gelu } from "./gelu.ts";
import { gru } from "./gru.ts";
import { hardSwish } from "./hardSwish.ts";
import { layerNorm } from "./layerNorm.ts";
import { leakyRelu } from "./leakyRelu.ts";
import { logistic } from "./logistic.ts";
import { lstm } from "./lstm.ts";
import { map } from "./map.ts";
import { maxPool2d } from "./maxPool2d.ts";
import { mean } from "./mean.ts";
import { meanPool } from "./meanPool.ts";
import { mul } from "./mul.ts";
import type { Operator } from "./operator.ts";
import { pad } from "./pad.ts";
import { quantize } from "./quantize.ts";
import { reduce } from "./reduce.ts";
import { requantize } from "./requantize.ts";
import { resample } from "./resample.ts";
import { reshape } from "./reshape.ts";
import { resizeBilinear } from "./resizeBilinear.ts";
import { resizeNearest } from "./resizeNearest.ts";
import { rmsNorm } from "./rmsNorm.ts";
import { rnn } from "./rnn.ts";
import { rsqrt } from "./rsqrt.ts";
import { select } from "./select.ts";
import { silu } from "./silu.ts";
import { softmax } from "./softmax.ts";
import { spectrum } from "./spectrum.ts";
import { split } from "./split.ts";
import { squaredDifference } from "./squaredDifference.ts";
import { stridedSlice } from "./stridedSlice.ts";
import { sub } from "./sub.ts";
import { tanh } from "./tanh.ts";
import { transpose } from "./transpose.ts";
import { transposedConv2d } from "./transposedConv2d.ts";
import { zip } from "./zip.ts";

/** Typed by its own attributes in its own file; here all are seen through the node they are given. */
const operators: Partial<{ [K in OpName]: Operator<K> }> = {
  add,
  attention,
  averagePool2d,
  clamp,
  batchMatmul,
  concat,
  conv2d,
  depthwiseConv2d,
  dequantize,
  embedding,
  fullyConnected,
  gelu,
  gru,
  hardSwish,
  layerNorm,
  leakyRelu,
  lstm,
  logistic,
  maxPool2d,
  mean,
  meanPool,
  mul,
  pad,
  quantize,
  requantize,
  reshape,
  resizeBilinear,
  resizeNearest,
  rmsNorm,
  rnn,
  rsqrt,
  silu,
  softmax,
  spectrum,
  split,
  squaredDifference,
  stridedSlice,
  sub,
  tanh,
  transpose,
  transposedConv2d,
  binaryConv2d,
  map,
  zip,
  select,
  reduce,
  floatMatmul,
  floatConv,
  floatPool,
  floatSoftmax,
  floatNorm,
  gather,
  resample,
  floatRecurrent,
};

export const operatorNames = Object.keys(operators) as OpName[];

export function operatorFor<K extends OpName>(name: K): Operator<K> {
  const operator = operators[name];
  if (!operator)
    throw new ToolError("UNSUPPORTED", `the operator ${name} is not implemented; see the README's table of operators.`);
  return operator as Operator<K>;
}
