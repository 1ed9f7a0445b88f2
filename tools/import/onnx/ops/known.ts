// Values that are known without running anything: constants, shapes, ranges.

import { elementCount } from "../../../graph/graph.ts";
import { carrier } from "../builder.ts";
import type { Importer } from "../node.ts";
import { isFloatType, shapeCount, TYPE } from "../tensors.ts";

const constant: Importer = (op) => {
  const value = op.tensor("value");
  if (value) return op.setNumbers(0, value);
  const [floats, ints] = [op.floats("value_floats"), op.ints("value_ints")];
  if (op.has("value_float"))
    op.setNumbers(0, { type: TYPE.float, shape: [], data: Float32Array.of(op.float("value_float", 0)) });
  else if (op.has("value_int"))
    op.setNumbers(0, { type: TYPE.int64, shape: [], data: Float64Array.of(op.int("value_int", 0)) });
  else if (op.has("value_floats") && floats)
    op.setNumbers(0, { type: TYPE.float, shape: [floats.length], data: Float32Array.from(floats) });
  else if (op.has("value_ints") && ints)
    op.setNumbers(0, { type: TYPE.int64, shape: [ints.length], data: Float64Array.from(ints) });
  else throw op.unsupported("a Constant of text or of sparse numbers");
};

const constantOfShape: Importer = (op) => {
  const shape = op.numbers(0, "the shape")!;
  const value = op.tensor("value") ?? { type: TYPE.float, data: Float32Array.of(0) };
  const count = shapeCount(shape, `the output of "${op.name}"`);
  op.setNumbers(0, {
    type: value.type,
    shape,
    data: isFloatType(value.type)
      ? new Float32Array(count).fill(value.data[0]!)
      : new Float64Array(count).fill(value.data[0]!),
  });
};

const shapeOf: Importer = (op) => {
  const { shape } = op.input(0);
  const bound = (at: number): number => Math.min(shape.length, Math.max(0, at < 0 ? at + shape.length : at));
  const part = shape.slice(bound(op.int("start", 0)), bound(op.int("end", shape.length)));
  op.setNumbers(0, { type: TYPE.int64, shape: [part.length], data: Float64Array.from(part) });
};

const range: Importer = (op) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => op.numbers(i, "a bound of the range")![0]!) as [
    number,
    number,
    number,
  ];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  shapeCount([count], `the output of "${op.name}"`);
  const { type } = op.input(0);
  const data = Array.from({ length: count }, (_, i) => start + i * delta);
  op.setNumbers(0, {
    type,
    shape: [count],
    data: carrier(type) === "float32" ? Float32Array.from(data) : Float64Array.from(data),
  });
};

export const KNOWN: Readonly<Record<string, Importer>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Size: (op) =>
    op.setNumbers(0, { type: TYPE.int64, shape: [], data: Float64Array.of(elementCount(op.input(0).shape)) }),
  Range: range,
};
