// Shapes that a model computes at run time, as converters emit them for an open batch size.

import { expect, test } from "vitest";
import { importModel } from "../../tools/import/index.ts";
import {
  BuiltinOperator,
  BuiltinOptions,
  PackOptions,
  StridedSliceOptions,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";
import { TfliteBuilder } from "../support/tfliteBuilder.ts";

function flatten(output: "reshape" | "shape"): Uint8Array {
  const model = new TfliteBuilder();
  const x = model.tensor({ name: "x", shape: [1, 4, 4, 2] });
  const shape = model.tensor({ name: "shape", shape: [4], type: TensorType.INT32 });
  const batch = model.tensor({ name: "batch", shape: [], type: TensorType.INT32 });
  const packed = model.tensor({ name: "packed", shape: [2], type: TensorType.INT32 });
  const y = model.tensor({ name: "y", shape: [1, 32] });
  model.operator(BuiltinOperator.SHAPE, [x], [shape]);
  model.operator(
    BuiltinOperator.STRIDED_SLICE,
    [shape, model.ints([0]), model.ints([1]), model.ints([1])],
    [batch],
    [BuiltinOptions.StridedSliceOptions, (b) => StridedSliceOptions.createStridedSliceOptions(b, 0, 0, 0, 0, 1, false)],
  );
  model.operator(
    BuiltinOperator.PACK,
    [batch, model.ints(32)],
    [packed],
    [BuiltinOptions.PackOptions, (b) => PackOptions.createPackOptions(b, 2, 0)],
  );
  model.operator(BuiltinOperator.RESHAPE, [x, packed], [y]);
  return model.build([x], [output === "reshape" ? y : packed]);
}

test("SHAPE, STRIDED_SLICE and PACK before a RESHAPE are computed by the importer", () => {
  const graph = importModel(flatten("reshape"), "m.tflite");
  expect(graph.nodes.map((node) => [node.op, node.attrs])).toEqual([["reshape", { shape: [1, 32] }]]);
  expect(graph.tensors.map((tensor) => tensor.name)).toEqual(["x", "y"]);
});

test("a model that gives out a shape is refused", () => {
  expect(() => importModel(flatten("shape"), "m.tflite")).toThrow(
    `m.tflite cannot be imported: the model's output "packed" is a shape known beforehand; leave it out of the model.`,
  );
});
