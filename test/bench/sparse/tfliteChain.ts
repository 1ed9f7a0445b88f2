// A TFLite file of one layer several times in a row, in int8 behind QUANTIZE and DEQUANTIZE or in float32, from a
// graph of one conv2d or fullyConnected. Bundled by litert.mjs.

import type { Builder } from "flatbuffers";
import type { Graph } from "../../../tools/graph/graph.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  Conv2DOptions,
  FullyConnectedOptions,
  Padding,
  TensorType,
} from "../../../tools/import/tflite/generated/tflite.ts";
import { type Options, TfliteBuilder } from "../../support/tfliteBuilder.ts";

const CONV: Options = [
  BuiltinOptions.Conv2DOptions,
  (b: Builder) => {
    Conv2DOptions.startConv2DOptions(b);
    Conv2DOptions.addPadding(b, Padding.SAME);
    Conv2DOptions.addStrideW(b, 1);
    Conv2DOptions.addStrideH(b, 1);
    Conv2DOptions.addFusedActivationFunction(b, ActivationFunctionType.NONE);
    Conv2DOptions.addDilationWFactor(b, 1);
    Conv2DOptions.addDilationHFactor(b, 1);
    return Conv2DOptions.endConv2DOptions(b);
  },
];

const DENSE: Options = [
  BuiltinOptions.FullyConnectedOptions,
  (b: Builder) => {
    FullyConnectedOptions.startFullyConnectedOptions(b);
    FullyConnectedOptions.addFusedActivationFunction(b, ActivationFunctionType.NONE);
    return FullyConnectedOptions.endFullyConnectedOptions(b);
  },
];

/** `depth` of the graph's one layer, whose output must be shaped as its input. */
export function chain(graph: Graph, depth: number, isFloat: boolean): Uint8Array {
  const [x, w, b] = graph.tensors as [Graph["tensors"][number], Graph["tensors"][number], Graph["tensors"][number]];
  const scale = 0.05;
  const weightScale = 0.002;
  const model = new TfliteBuilder();
  const float = { type: TensorType.FLOAT32, scale: null };
  const data = w.data as Int8Array;
  const weights = model.tensor({
    name: "w",
    shape: w.shape,
    ...(isFloat ? { ...float, data: Float32Array.from(data, (q) => q * weightScale) } : { scale: weightScale, data }),
  });
  const values = b.data as Int32Array;
  const bias = model.tensor({
    name: "b",
    shape: b.shape,
    ...(isFloat
      ? { ...float, data: Float32Array.from(values, (q) => q * scale * weightScale) }
      : { type: TensorType.INT32, scale: scale * weightScale, data: values }),
  });
  const [builtin, options] =
    graph.nodes[0]!.op === "conv2d" ? [BuiltinOperator.CONV_2D, CONV] : [BuiltinOperator.FULLY_CONNECTED, DENSE];
  const real = (name: string): number => model.tensor({ name, shape: x.shape, ...float });
  const input = real("in");
  let at = input;
  const next = (name: string): number => (isFloat ? real(name) : model.tensor({ name, shape: x.shape, scale }));
  if (!isFloat) {
    at = next("q");
    model.operator(BuiltinOperator.QUANTIZE, [input], [at]);
  }
  for (let i = 0; i < depth; i++) {
    const to = next(`y${i}`);
    // version 3 of CONV_2D and 4 of FULLY_CONNECTED take int8
    const version = builtin === BuiltinOperator.CONV_2D ? 3 : 4;
    model.operator(builtin, [at, weights, bias], [to], options, { version });
    at = to;
  }
  if (!isFloat) {
    const output = real("out");
    model.operator(BuiltinOperator.DEQUANTIZE, [at], [output]);
    at = output;
  }
  return model.build([input], [at]);
}
