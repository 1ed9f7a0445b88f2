// Element-wise operators, reductions, products, QUANTIZE and DEQUANTIZE.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../tools/graph/graph.ts";
import {
  ActivationFunctionType,
  AddOptions,
  BatchMatMulOptions,
  BuiltinOperator,
  BuiltinOptions,
  LeakyReluOptions,
  MulOptions,
  ReducerOptions,
  SoftmaxOptions,
  SubOptions,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";
import { importTflite } from "../../tools/import/tflite/import.ts";
import { intsSpec, type Options, oneOperator, type TensorSpec } from "../support/tfliteBuilder.ts";

const { RELU6 } = ActivationFunctionType;
const x = (shape: readonly number[]): TensorSpec => ({ shape });

function node(
  builtin: BuiltinOperator,
  inputs: TensorSpec[],
  outputs: TensorSpec[],
  options?: Options,
): Graph["nodes"][number] {
  const graph = importTflite(oneOperator(builtin, inputs, outputs, options), "m.tflite");
  const [only] = graph.nodes;
  if (only === undefined || graph.nodes.length !== 1) throw new Error("expected one node");
  return only;
}

describe("two operands", () => {
  test.each([
    { builtin: BuiltinOperator.ADD, op: "add", type: BuiltinOptions.AddOptions, write: AddOptions.createAddOptions },
    { builtin: BuiltinOperator.SUB, op: "sub", type: BuiltinOptions.SubOptions, write: SubOptions.createSubOptions },
    { builtin: BuiltinOperator.MUL, op: "mul", type: BuiltinOptions.MulOptions, write: MulOptions.createMulOptions },
  ])("$op broadcasts and keeps its activation", ({ builtin, op, type, write }) => {
    const { op: got, attrs } = node(
      builtin,
      [x([2, 1, 4]), x([3, 1])],
      [x([2, 3, 4])],
      [type, (b) => write(b, RELU6, true)],
    );
    expect([got, attrs]).toEqual([op, { activation: "relu6" }]);
  });

  test("options left out mean no activation", () => {
    expect(node(BuiltinOperator.ADD, [x([4]), x([4])], [x([4])]).attrs).toEqual({ activation: "none" });
    expect(node(BuiltinOperator.SQUARED_DIFFERENCE, [x([4]), x([1])], [x([4])]).op).toBe("squaredDifference");
  });

  test("a constant operand keeps its data", () => {
    const constant: TensorSpec = { shape: [], data: Int8Array.of(7) };
    const bytes = oneOperator(BuiltinOperator.MUL, [x([4]), constant], [x([4])]);
    const graph = importTflite(bytes, "m.tflite");
    expect(graph.tensors[graph.nodes[0]?.inputs[1] ?? -1]?.data).toEqual(Int8Array.of(7));
  });
});

describe("one operand", () => {
  test.each([
    [BuiltinOperator.RELU, { min: 0, max: Number.POSITIVE_INFINITY }],
    [BuiltinOperator.RELU6, { min: 0, max: 6 }],
    [BuiltinOperator.RELU_N1_TO_1, { min: -1, max: 1 }],
    [BuiltinOperator.RELU_0_TO_1, { min: 0, max: 1 }],
  ])("builtin %i is a clamp", (builtin, attrs) => {
    const got = node(builtin, [x([3])], [x([3])]);
    expect([got.op, got.attrs]).toEqual(["clamp", attrs]);
  });

  test.each([
    [BuiltinOperator.HARD_SWISH, "hardSwish"],
    [BuiltinOperator.LOGISTIC, "logistic"],
    [BuiltinOperator.TANH, "tanh"],
    [BuiltinOperator.RSQRT, "rsqrt"],
  ])("builtin %i is %s", (builtin, op) => {
    const got = node(builtin, [x([3])], [x([3])]);
    expect([got.op, got.attrs]).toEqual([op, {}]);
  });

  test("LEAKY_RELU and SOFTMAX keep their numbers", () => {
    const leaky: Options = [BuiltinOptions.LeakyReluOptions, (b) => LeakyReluOptions.createLeakyReluOptions(b, 0.25)];
    expect(node(BuiltinOperator.LEAKY_RELU, [x([3])], [x([3])], leaky).attrs).toEqual({ alpha: 0.25 });
    const softmax: Options = [BuiltinOptions.SoftmaxOptions, (b) => SoftmaxOptions.createSoftmaxOptions(b, 2)];
    expect(node(BuiltinOperator.SOFTMAX, [x([3])], [x([3])], softmax).attrs).toEqual({ beta: 2 });
  });
});

describe("MEAN", () => {
  test.each([
    { axes: [2, 1], keep: true, out: [2, 1, 1, 5], sorted: [1, 2] },
    { axes: [-1, 3], keep: false, out: [2, 3, 4], sorted: [3] },
    { axes: 1, keep: false, out: [2, 4, 5], sorted: [1] },
  ])("over $axes (keep_dims $keep) gives $out", ({ axes, keep, out, sorted }) => {
    const options: Options = [BuiltinOptions.ReducerOptions, (b) => ReducerOptions.createReducerOptions(b, keep)];
    const got = node(BuiltinOperator.MEAN, [x([2, 3, 4, 5]), intsSpec(axes)], [x(out)], options);
    expect(got.attrs).toEqual({ axes: sorted, keepDims: keep });
  });
});

describe("BATCH_MATMUL", () => {
  test.each([
    { a: [2, 7, 16], b: [2, 16, 9], adjX: false, adjY: false, out: [2, 7, 9] },
    { a: [2, 7, 16], b: [2, 9, 16], adjX: false, adjY: true, out: [2, 7, 9] },
    { a: [2, 16, 7], b: [2, 16, 9], adjX: true, adjY: false, out: [2, 7, 9] },
    { a: [3, 1, 7, 16], b: [2, 16, 9], adjX: false, adjY: false, out: [3, 2, 7, 9] },
  ])("$a by $b gives $out", ({ a, b, adjX, adjY, out }) => {
    const options: Options = [
      BuiltinOptions.BatchMatMulOptions,
      (builder) => BatchMatMulOptions.createBatchMatMulOptions(builder, adjX, adjY, false),
    ];
    expect(node(BuiltinOperator.BATCH_MATMUL, [x(a), x(b)], [x(out)], options).attrs).toEqual({
      transposeA: adjX,
      transposeB: adjY,
    });
  });
});

describe("QUANTIZE and DEQUANTIZE", () => {
  const float = { shape: [4], type: TensorType.FLOAT32 };
  test.each([
    { builtin: BuiltinOperator.QUANTIZE, from: float, to: x([4]), op: "quantize" },
    { builtin: BuiltinOperator.DEQUANTIZE, from: x([4]), to: float, op: "dequantize" },
    { builtin: BuiltinOperator.QUANTIZE, from: x([4]), to: { ...x([4]), scale: 0.1 }, op: "requantize" },
    { builtin: BuiltinOperator.QUANTIZE, from: { ...x([4]), type: TensorType.UINT8 }, to: x([4]), op: "requantize" },
    {
      builtin: BuiltinOperator.QUANTIZE,
      from: { ...x([4]), type: TensorType.INT32, scale: 0.1 },
      to: { ...x([4]), type: TensorType.INT16 },
      op: "requantize",
    },
  ])("$from.type to $to.type is $op", ({ builtin, from, to, op }) => {
    const got = node(builtin, [from], [to]);
    expect([got.op, got.attrs]).toEqual([op, {}]);
  });
});

test("a fused activation that the graph does not have is refused", () => {
  const tanh: Options = [
    BuiltinOptions.AddOptions,
    (b) => AddOptions.createAddOptions(b, ActivationFunctionType.TANH, true),
  ];
  expect(() => node(BuiltinOperator.ADD, [x([4]), x([4])], [x([4])], tanh)).toThrow(
    /fused activation TANH, expected NONE/,
  );
});
