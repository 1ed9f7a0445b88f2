// What a model that cannot be imported is told: the exact sentences.

import { describe, expect, test } from "vitest";
import { ToolError } from "../../tools/errors.ts";
import { importModel } from "../../tools/import/index.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  Conv2DOptions,
  FullyConnectedOptions,
  FullyConnectedOptionsWeightsFormat,
  Padding,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";
import { intsSpec, type Options, oneOperator, type TensorSpec, TfliteBuilder } from "../support/tfliteBuilder.ts";

function refusal(bytes: Uint8Array, name = "net.tflite"): [code: string, message: string] {
  try {
    importModel(bytes, name);
  } catch (error) {
    if (error instanceof ToolError) return [error.code, error.message];
    throw error;
  }
  throw new Error("it was imported");
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const float = (shape: readonly number[]): TensorSpec => ({ shape, type: TensorType.FLOAT32 });
const FC: Options = [
  BuiltinOptions.FullyConnectedOptions,
  (b) =>
    FullyConnectedOptions.createFullyConnectedOptions(
      b,
      ActivationFunctionType.NONE,
      FullyConnectedOptionsWeightsFormat.DEFAULT,
      false,
      false,
    ),
];
const CONV: Options = [
  BuiltinOptions.Conv2DOptions,
  (b) => Conv2DOptions.createConv2DOptions(b, Padding.SAME, 1, 1, ActivationFunctionType.NONE, 1, 1),
];
const kernel = (shape: readonly number[]): TensorSpec => ({
  name: "w",
  shape,
  data: new Int8Array(shape.reduce((a, b) => a * b, 1)),
});

describe("files of another kind", () => {
  test.each([
    [
      new Uint8Array(0),
      'net.tflite is empty, expected a TFLite model ("TFL3" at byte 4) or an ONNX model; give a .tflite or .onnx file.',
    ],
    [
      text("hello"),
      'net.tflite starts with 68 65 6c 6c 6f, expected a TFLite model ("TFL3" at byte 4) or an ONNX model; give a .tflite or .onnx file.',
    ],
    [
      Uint8Array.of(8, 7, 0x12, 7, 0x70),
      "net.tflite is no ONNX ModelProto: index out of range: 4 + 7 > 5; the file is damaged or cut short, export it again.",
    ],
    [
      text("PK\x03\x04…"),
      "net.tflite is a zip archive (Keras or PyTorch), expected a TFLite or an ONNX model; convert it to .tflite or .onnx first.",
    ],
  ])("%j", (bytes, message) => {
    expect(refusal(bytes)).toEqual(["BAD_FILE", message]);
  });

  test("an .onnx name", () => {
    const [, message] = refusal(text("whatever"), "net.onnx");
    expect(message).toMatch(/^net\.onnx starts with 77 68/);
  });
});

describe("models outside the format's common part", () => {
  test("several subgraphs", () => {
    const model = new TfliteBuilder();
    const x = model.tensor({ shape: [1] });
    expect(refusal(model.build([x], [x], { subgraphs: 2 }))).toEqual([
      "UNSUPPORTED",
      'net.tflite has 2 subgraphs ("main", "main"), expected one; convert the model without control flow (loops unrolled, no IF, WHILE or CALL).',
    ]);
  });

  test("another schema version", () => {
    const model = new TfliteBuilder();
    const x = model.tensor({ shape: [1] });
    expect(refusal(model.build([x], [x], { version: 2 }))).toEqual([
      "UNSUPPORTED",
      "net.tflite has TFLite schema version 2, expected 3; convert the model again with a current converter.",
    ]);
  });
});

describe("operators", () => {
  test("an unknown builtin operator", () => {
    const bytes = oneOperator(BuiltinOperator.GATHER, [{ shape: [4] }], [{ shape: [4] }], undefined, { version: 3 });
    expect(refusal(bytes)).toEqual([
      "UNSUPPORTED",
      'net.tflite cannot be imported: GATHER "out" (operator 0) of version 3, which computes tensor 1, is not supported; replace the operator in the source model, or leave it out and compute it outside the model.',
    ]);
  });

  test("an operator newer than the schema, and a custom one", () => {
    const future = oneOperator(999 as BuiltinOperator, [{ shape: [4] }], [{ shape: [4] }]);
    expect(refusal(future)[1]).toMatch(
      /^net\.tflite cannot be imported: operator code 999 "out" \(operator 0\) of version 1,/,
    );
    const custom = oneOperator(BuiltinOperator.CUSTOM, [{ shape: [4] }], [{ shape: [4] }], undefined, {
      customCode: "Foo\nBar",
    });
    expect(refusal(custom)[1]).toMatch(
      /^net\.tflite cannot be imported: custom operator "Foo\?Bar" "out" \(operator 0\)/,
    );
  });

  test("float32 activations of an operator without a float form", () => {
    const bytes = oneOperator(BuiltinOperator.RESIZE_BILINEAR, [float([4])], [float([4])]);
    expect(refusal(bytes)).toEqual([
      "UNSUPPORTED",
      'net.tflite cannot be imported: RESIZE_BILINEAR "out" (operator 0) has float32 input "in0", expected int8, uint8 or int16; quantize the model fully to int8 first (full-integer post-training quantization).',
    ]);
  });

  test("float32 activations beside int8 weights", () => {
    const bytes = oneOperator(BuiltinOperator.FULLY_CONNECTED, [float([1, 4]), kernel([2, 4])], [float([1, 2])], FC);
    expect(refusal(bytes)[1]).toMatch(
      /has float32 input "in0" beside int8 weights "w", expected int8, uint8 or int16; quantize the model fully/,
    );
  });

  test("a shape that is computed at run time", () => {
    const bytes = oneOperator(
      BuiltinOperator.RESHAPE,
      [{ shape: [4] }, { name: "shape", shape: [2], type: TensorType.INT32 }],
      [{ shape: [2, 2] }],
    );
    expect(refusal(bytes)).toEqual([
      "UNSUPPORTED",
      'net.tflite cannot be imported: RESHAPE "out" (operator 0) has new shape "shape", which is computed at run time, expected a constant; fix the shapes of the model\'s inputs and convert it again.',
    ]);
  });

  test("an open dimension", () => {
    const bytes = oneOperator(BuiltinOperator.RELU, [{ shape: [0, 4] }], [{ shape: [0, 4] }]);
    expect(refusal(bytes)[1]).toMatch(/has shape \[0,4\]: a dimension of 0, expected 1 or more/);
  });

  test("a grouped convolution", () => {
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 4, 4, 6] }, kernel([4, 1, 1, 3])],
      [{ shape: [1, 4, 4, 4] }],
      CONV,
    );
    expect(refusal(bytes)[1]).toMatch(
      /has 6 input channels but weights for 3, a grouped convolution of 2 groups; split it into one CONV_2D a group/,
    );
  });

  test("a declared shape that the operator does not compute", () => {
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 4, 4, 3] }, kernel([4, 1, 1, 3])],
      [{ shape: [1, 5, 4, 4] }],
      CONV,
    );
    expect(refusal(bytes)).toEqual([
      "BAD_GRAPH",
      'net.tflite cannot be imported: CONV_2D "out" (operator 0) declares output "out" as [1,5,4,4], but computes [1,4,4,4]; the file contradicts itself; convert the model again.',
    ]);
  });

  test("a bias at another scale", () => {
    const bias: TensorSpec = { name: "b", shape: [4], type: TensorType.INT32, scale: 1, data: new Int32Array(4) };
    const bytes = oneOperator(
      BuiltinOperator.CONV_2D,
      [{ shape: [1, 4, 4, 3] }, kernel([4, 1, 1, 3]), bias],
      [{ shape: [1, 4, 4, 4] }],
      CONV,
    );
    expect(refusal(bytes)[1]).toMatch(
      /has bias "b" at scale 1 in channel 0, expected input scale · weight scale = 0.25;/,
    );
  });

  test("a move that changes the scale", () => {
    const bytes = oneOperator(
      BuiltinOperator.RESHAPE,
      [{ shape: [4] }, intsSpec([2, 2])],
      [{ shape: [2, 2], scale: 0.25 }],
    );
    expect(refusal(bytes)[1]).toMatch(
      /keeps values, but its input has scale 0.5, zero point 0 and its output scale 0.25, zero point 0;/,
    );
  });

  test("a variable", () => {
    const bytes = oneOperator(BuiltinOperator.RELU, [{ shape: [4], variable: true }], [{ shape: [4] }]);
    expect(refusal(bytes)[1]).toMatch(/uses tensor "in0", which is a variable \(state that outlives a run\)/);
  });
});

describe("several obstacles", () => {
  function chain(length: number): Uint8Array {
    const model = new TfliteBuilder();
    const ids = Array.from({ length: length + 1 }, (_, i) => model.tensor({ name: `t${i}`, ...float([4]) }));
    for (let i = 0; i < length; i++) {
      const builtin = i === 1 ? BuiltinOperator.GATHER : BuiltinOperator.RESIZE_BILINEAR;
      model.operator(builtin, [ids[i] ?? 0], [ids[i + 1] ?? 0]);
    }
    return model.build([ids[0] ?? 0], [ids.at(-1) ?? 0]);
  }

  test("are all named, with each advice once", () => {
    expect(refusal(chain(3))).toEqual([
      "UNSUPPORTED",
      [
        "net.tflite cannot be imported, for 3 reasons:",
        '  - RESIZE_BILINEAR "t1" (operator 0) has float32 input "t0", expected int8, uint8 or int16',
        '  - RESIZE_BILINEAR "t3" (operator 2) has float32 input "t2", expected int8, uint8 or int16',
        "    → quantize the model fully to int8 first (full-integer post-training quantization).",
        '  - GATHER "t2" (operator 1) of version 1, which computes tensor 2, is not supported',
        "    → replace the operator in the source model, or leave it out and compute it outside the model.",
      ].join("\n"),
    ]);
  });

  test("are cut after twenty", () => {
    const lines = refusal(chain(50))[1].split("\n");
    expect(lines.filter((line) => line.startsWith("  - "))).toHaveLength(20);
    expect(lines.at(-1)).toBe("  … and 30 more");
  });
});
