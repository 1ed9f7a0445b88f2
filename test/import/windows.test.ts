// Convolutions and poolings: SAME and VALID as explicit padding, strides, dilation, activations.

import { describe, expect, test } from "vitest";
import type { Node, OpName } from "../../tools/graph/graph.ts";
import { importModel } from "../../tools/import/index.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  Conv2DOptions,
  DepthwiseConv2DOptions,
  FullyConnectedOptions,
  FullyConnectedOptionsWeightsFormat,
  Padding,
  Pool2DOptions,
  TensorType,
  TransposeConvOptions,
} from "../../tools/import/tflite/generated/tflite.ts";
import { importTflite } from "../../tools/import/tflite/import.ts";
import { intsSpec, type Options, oneOperator, type TensorSpec } from "../support/tfliteBuilder.ts";

const { SAME, VALID } = Padding;
const { NONE, RELU, RELU6, RELU_N1_TO_1 } = ActivationFunctionType;

interface Sliding {
  readonly padding?: Padding;
  readonly stride?: readonly [height: number, width: number];
  readonly dilation?: readonly [height: number, width: number];
  readonly activation?: ActivationFunctionType;
}

function convOptions({ padding = SAME, stride = [1, 1], dilation = [1, 1], activation = NONE }: Sliding): Options {
  return [
    BuiltinOptions.Conv2DOptions,
    (b) => Conv2DOptions.createConv2DOptions(b, padding, stride[1], stride[0], activation, dilation[1], dilation[0]),
  ];
}

function weights(shape: readonly number[], axis: number): TensorSpec {
  const channels = shape[axis] ?? 1;
  const scale = Array.from({ length: channels }, (_, i) => 0.25 + i);
  return { shape, scale, axis, data: new Int8Array(shape.reduce((a, b) => a * b, 1)) };
}

function bias(channels: number): TensorSpec {
  return { shape: [channels], type: TensorType.INT32, data: new Int32Array(channels) };
}

function onlyNode<K extends OpName>(bytes: Uint8Array, op: K): Node<K> {
  const graph = importTflite(bytes, "m.tflite");
  expect(graph.nodes).toHaveLength(1);
  const [node] = graph.nodes;
  if (node?.op !== op) throw new Error(`expected ${op}, got ${node?.op}`);
  return node as Node<K>;
}

describe("CONV_2D", () => {
  const conv = (
    size: readonly number[],
    kernel: readonly number[],
    out: readonly number[],
    sliding: Sliding,
  ): Node<"conv2d"> => {
    const [height = 0, width = 0] = size;
    const [kernelH = 0, kernelW = 0] = kernel;
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, height, width, 3] }, weights([4, kernelH, kernelW, 3], 0), bias(4)],
      [{ shape: [1, ...out, 4] }],
      convOptions(sliding),
    );
    return onlyNode(bytes, "conv2d");
  };

  test.each([
    { size: [5, 5], kernel: [3, 3], out: [5, 5], sliding: {}, padding: [1, 1, 1, 1] },
    { size: [5, 6], kernel: [3, 3], out: [3, 3], sliding: { stride: [2, 2] }, padding: [1, 1, 0, 1] },
    { size: [4, 4], kernel: [2, 2], out: [4, 4], sliding: {}, padding: [0, 1, 0, 1] },
    { size: [4, 4], kernel: [1, 1], out: [2, 2], sliding: { stride: [2, 2] }, padding: [0, 0, 0, 0] },
    { size: [7, 9], kernel: [3, 2], out: [7, 3], sliding: { stride: [1, 3] }, padding: [1, 1, 0, 0] },
    { size: [10, 10], kernel: [3, 3], out: [10, 10], sliding: { dilation: [2, 3] }, padding: [2, 2, 3, 3] },
    { size: [7, 9], kernel: [3, 3], out: [5, 7], sliding: { padding: VALID }, padding: [0, 0, 0, 0] },
    {
      size: [7, 9],
      kernel: [3, 3],
      out: [2, 2],
      sliding: { padding: VALID, dilation: [2, 2], stride: [2, 4] },
      padding: [0, 0, 0, 0],
    },
  ] as const)("$size by $kernel with $sliding pads $padding", ({ size, kernel, out, sliding, padding }) => {
    const { attrs } = conv(size, kernel, out, sliding);
    const [top, bottom, left, right] = padding;
    expect(attrs.padding).toEqual({ top, bottom, left, right });
    const { stride = [1, 1], dilation = [1, 1] }: Sliding = sliding;
    expect([attrs.strideH, attrs.strideW]).toEqual(stride);
    expect([attrs.dilationH, attrs.dilationW]).toEqual(dilation);
  });

  test.each([
    [NONE, "none"],
    [RELU, "relu"],
    [RELU6, "relu6"],
    [RELU_N1_TO_1, "reluN1To1"],
  ] as const)("activation %s becomes %s", (activation, name) => {
    expect(conv([5, 5], [3, 3], [5, 5], { activation }).attrs.activation).toBe(name);
  });

  test("keeps per-channel scales, int32 bias, and names", () => {
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [
        { name: "x", shape: [2, 3, 3, 1], scale: 0.1, zeroPoint: 5 },
        weights([2, 3, 3, 1], 0),
        { ...bias(2), data: Int32Array.of(7, -9) },
      ],
      [{ name: "y", shape: [2, 1, 1, 2], zeroPoint: -128 }],
      convOptions({ padding: VALID }),
    );
    const graph = importTflite(bytes, "folder/net.tflite");
    expect(graph.name).toBe("net");
    const [node] = graph.nodes;
    expect(node?.name).toBe("y");
    const [x, w, b] = (node?.inputs ?? []).map((id) => graph.tensors[id]);
    expect(x).toEqual({
      name: "x",
      shape: [2, 3, 3, 1],
      dtype: "int8",
      quant: { scale: Float32Array.of(0.1), zeroPoint: Int32Array.of(5), axis: 0 },
    });
    expect(w?.quant).toEqual({ scale: Float32Array.of(0.25, 1.25), zeroPoint: Int32Array.of(0, 0), axis: 0 });
    expect(b?.data).toEqual(Int32Array.of(7, -9));
    expect(b?.quant).toBeUndefined();
  });

  test("without a bias has input -1", () => {
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 3, 3, 1] }, weights([2, 1, 1, 1], 0)],
      [{ shape: [1, 3, 3, 2] }],
      convOptions({}),
    );
    expect(onlyNode(bytes, "conv2d").inputs[2]).toBe(-1);
  });

  test("widens int4 weights, low nibble first", () => {
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 1, 1, 3] }, { shape: [1, 1, 1, 3], type: TensorType.INT4, data: Uint8Array.of(0x8f, 0x07) }],
      [{ shape: [1, 1, 1, 1] }],
      convOptions({}),
    );
    const graph = importTflite(bytes, "m.tflite");
    const w = graph.tensors[graph.nodes[0]?.inputs[1] ?? -1];
    expect(w?.dtype).toBe("int8");
    expect(w?.data).toEqual(Int8Array.of(-1, -8, 7));
  });

  test("takes int64 bias beside int16 activations", () => {
    const int16 = { type: TensorType.INT16 };
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [
        { ...int16, shape: [1, 1, 1, 1] },
        weights([1, 1, 1, 1], 0),
        { shape: [1], type: TensorType.INT64, data: BigInt64Array.of(-5n) },
      ],
      [{ ...int16, shape: [1, 1, 1, 1] }],
      convOptions({}),
    );
    const graph = importTflite(bytes, "m.tflite");
    expect(graph.tensors[graph.nodes[0]?.inputs[2] ?? -1]?.data).toEqual(BigInt64Array.of(-5n));
  });

  test("accepts a bias whose quantized axis does not exist, when its scales fit", () => {
    const b: TensorSpec = { ...bias(4), scale: [0.125, 0.625, 1.125, 1.625], axis: 3 };
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 3, 3, 1] }, weights([4, 1, 1, 1], 0), b],
      [{ shape: [1, 3, 3, 4] }],
      convOptions({}),
    );
    expect(onlyNode(bytes, "conv2d").op).toBe("conv2d");
  });
});

test("a uint8 convolution becomes int8 between requantizing ports, its weights' zero point with it", () => {
  const uint8 = { type: TensorType.UINT8, zeroPoint: 128 };
  const bytes = oneOperator(
    BuiltinOperator.CONV_2D,
    [
      { ...uint8, shape: [1, 1, 1, 2] },
      { ...uint8, zeroPoint: 120, shape: [1, 1, 1, 2], data: Uint8Array.of(0, 255) },
    ],
    [{ ...uint8, shape: [1, 1, 1, 1] }],
    convOptions({}),
  );
  const graph = importModel(bytes, "m.tflite");
  expect(graph.nodes.map((node) => node.op)).toEqual(["requantize", "conv2d", "requantize"]);
  expect([...graph.inputs, ...graph.outputs].map((id) => graph.tensors[id]?.dtype)).toEqual(["uint8", "uint8"]);
  const w = graph.tensors[graph.nodes[1]?.inputs[1] ?? -1];
  expect([w?.dtype, w?.data, w?.quant?.zeroPoint]).toEqual(["int8", Int8Array.of(-128, 127), Int32Array.of(-8)]);
});

describe("DEPTHWISE_CONV_2D", () => {
  test("takes the multiplier from the weights", () => {
    const options: Options = [
      BuiltinOptions.DepthwiseConv2DOptions,
      (b) => DepthwiseConv2DOptions.createDepthwiseConv2DOptions(b, SAME, 1, 2, 0, RELU6, 1, 1),
    ];
    const bytes = oneOperator(
      BuiltinOperator.DEPTHWISE_CONV_2D,
      [{ shape: [1, 8, 8, 3] }, weights([1, 3, 3, 6], 3), bias(6)],
      [{ shape: [1, 4, 8, 6] }],
      options,
    );
    expect(onlyNode(bytes, "depthwiseConv2d").attrs).toEqual({
      strideH: 2,
      strideW: 1,
      padding: { top: 0, bottom: 1, left: 1, right: 1 },
      activation: "relu6",
      dilationH: 1,
      dilationW: 1,
      multiplier: 2,
    });
  });
});

describe("TRANSPOSE_CONV", () => {
  const transposed = (
    inH: number,
    outH: number,
    kernel: number,
    stride: number,
    rule: Padding,
  ): Node<"transposedConv2d"> => {
    const options: Options = [
      BuiltinOptions.TransposeConvOptions,
      (b) => TransposeConvOptions.createTransposeConvOptions(b, rule, 1, stride, RELU),
    ];
    const bytes = oneOperator(
      BuiltinOperator.TRANSPOSE_CONV,
      [intsSpec([1, outH, 5, 2]), weights([2, kernel, 1, 3], 0), { shape: [1, inH, 5, 3] }],
      [{ shape: [1, outH, 5, 2] }],
      options,
    );
    return onlyNode(bytes, "transposedConv2d");
  };

  test.each([
    { inH: 4, outH: 8, kernel: 3, stride: 2, rule: SAME, top: 0, bottom: 1 },
    { inH: 4, outH: 7, kernel: 3, stride: 2, rule: SAME, top: 1, bottom: 1 },
    { inH: 4, outH: 8, kernel: 4, stride: 2, rule: SAME, top: 1, bottom: 1 },
    { inH: 4, outH: 8, kernel: 1, stride: 2, rule: SAME, top: 0, bottom: 0 },
    { inH: 4, outH: 9, kernel: 3, stride: 2, rule: VALID, top: 0, bottom: 0 },
    { inH: 4, outH: 10, kernel: 3, stride: 2, rule: VALID, top: 0, bottom: 0 },
  ])(
    "$inH to $outH rows by kernel $kernel, stride $stride cuts $top and $bottom",
    ({ inH, outH, kernel, stride, rule, top, bottom }) => {
      const { attrs, inputs } = transposed(inH, outH, kernel, stride, rule);
      expect(attrs.padding).toEqual({ top, bottom, left: 0, right: 0 });
      expect([attrs.outH, attrs.outW, attrs.activation]).toEqual([outH, 5, "relu"]);
      // x, weights, no bias: the shape operand is gone.
      expect(inputs).toHaveLength(3);
      expect(inputs[2]).toBe(-1);
    },
  );
});

describe("pooling", () => {
  test.each([
    [BuiltinOperator.AVERAGE_POOL_2D, "averagePool2d"],
    [BuiltinOperator.MAX_POOL_2D, "maxPool2d"],
  ] as const)("%s becomes %s", (builtin, op) => {
    const options: Options = [
      BuiltinOptions.Pool2DOptions,
      (b) => Pool2DOptions.createPool2DOptions(b, SAME, 3, 2, 4, 3, RELU),
    ];
    const bytes = oneOperator(builtin, [{ shape: [1, 9, 11, 5] }], [{ shape: [1, 5, 4, 5] }], options);
    expect(onlyNode(bytes, op).attrs).toEqual({
      strideH: 2,
      strideW: 3,
      padding: { top: 1, bottom: 1, left: 1, right: 1 },
      activation: "relu",
      kernelH: 3,
      kernelW: 4,
    });
  });
});

describe("FULLY_CONNECTED", () => {
  const connected = (x: readonly number[], y: readonly number[], keeps: boolean): Node<"fullyConnected"> => {
    const format = FullyConnectedOptionsWeightsFormat.DEFAULT;
    const options: Options = [
      BuiltinOptions.FullyConnectedOptions,
      (b) => FullyConnectedOptions.createFullyConnectedOptions(b, RELU, format, keeps, false),
    ];
    const bytes = oneOperator(
      BuiltinOperator.FULLY_CONNECTED,
      [{ shape: x }, weights([4, 6], 0), bias(4)],
      [{ shape: y }],
      options,
    );
    return onlyNode(bytes, "fullyConnected");
  };

  test.each([
    { x: [2, 6], y: [2, 4], keeps: false },
    { x: [1, 2, 3], y: [1, 4], keeps: false },
    { x: [5, 2, 6], y: [10, 4], keeps: false },
    { x: [5, 2, 6], y: [5, 2, 4], keeps: true },
  ])("$x gives $y (keep_num_dims $keeps)", ({ x, y, keeps }) => {
    expect(connected(x, y, keeps).attrs).toEqual({ activation: "relu" });
  });
});
