// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear and the QLinear… operators. A value quantized by one scale to
// int8, uint8 or int16 is a tensor of that dtype; every other integer is carried as int32. A QLinear… operator becomes
// dequantize, the float operator and quantize, which graph/fuseQuantized.ts then joins to one integer operator.

import { type DType, elementCount, type Quantization } from "../../../graph/graph.ts";
import { type Builder, toLast, type Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { INTEGERS, isFloatType, TYPE, typeName } from "../tensors.ts";

export const NARROW: ReadonlyMap<number, DType> = new Map<number, DType>([
  [TYPE.int8, "int8"],
  [TYPE.uint8, "uint8"],
  [TYPE.int16, "int16"],
]);

const isNarrow = (dtype: DType): boolean => dtype === "int8" || dtype === "uint8" || dtype === "int16";

function range(type: number): readonly [number, number] {
  const { bits, signed } = INTEGERS.get(type)!;
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

interface Scaling {
  readonly scale: Float32Array;
  readonly zero: Int32Array;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly block: number;
  /** of the quantized value */
  readonly type: number;
}

/** Scale and zero point from two inputs, which must be constant. */
function scalingOf(
  op: OnnxNode,
  scaleIndex: number,
  zeroIndex: number,
  type: number,
  rank: number,
  axis = 1,
  block = 0,
): Scaling {
  const scale = Float32Array.from(op.numbers(scaleIndex, "the scale") ?? [1]);
  const zero = op.numbers(zeroIndex, "the zero point");
  const shape = op.optional(scaleIndex)?.shape ?? [];
  return {
    scale,
    zero: Int32Array.from(zero ?? scale.map(() => 0)),
    shape,
    axis: scale.length > 1 ? op.wrap(axis, rank) : 0,
    block,
    type,
  };
}

function quantization({ scale, zero, axis }: Scaling): Quantization {
  return { scale, zeroPoint: Int32Array.from(scale, (_, i) => zero[zero.length === 1 ? 0 : i]!), axis };
}

/** Scale or zero point as a tensor that broadcasts against `shape`, blocks repeated. */
function spread(
  build: Builder,
  values: ArrayLike<number>,
  scaling: Scaling,
  shape: readonly number[],
  dtype: "float32" | "int32",
): number {
  if (values.length === 1) return build.scalar(values[0]!, dtype);
  const { axis, block } = scaling;
  const sizes = block > 0 ? shape : shape.map((size, i) => (i === axis ? size : 1));
  const data = dtype === "float32" ? new Float32Array(elementCount(sizes)) : new Int32Array(elementCount(sizes));
  for (let at = 0; at < data.length; at++) data[at] = values[scaleIndex(at, scaling, sizes)]!;
  return build.constant(dtype, sizes, data);
}

/** Which scale the element at `at` of a tensor of `shape` has. */
function scaleIndex(at: number, { axis, block, scale, shape: scaleShape }: Scaling, shape: readonly number[]): number {
  if (scale.length === 1) return 0;
  const inner = elementCount(shape.slice(axis + 1));
  const along = Math.floor(at / inner) % shape[axis]!;
  if (block === 0) return along;
  const outer = Math.floor(at / inner / shape[axis]!);
  return (outer * scaleShape[axis]! + Math.floor(along / block)) * inner + (at % inner);
}

/** round(x / scale) + zero point, saturated, as int32. */
function codesOf(build: Builder, x: number, scaling: Scaling): number {
  const { shape } = build.at(x);
  const ratio = build.zip("div", x, spread(build, scaling.scale, scaling, shape, "float32"));
  const code = build.map("toInt", build.map("round", ratio));
  const moved = scaling.zero.every((zero) => zero === 0)
    ? code
    : build.zip("add", code, spread(build, scaling.zero, scaling, shape, "int32"));
  const [least, most] = range(scaling.type);
  return build.map("clip", moved, least, most);
}

/** The value with its integers as int32, where it was quantized to a narrower tensor. */
export function integersOf(op: OnnxNode, value: Value): Value {
  const { build } = op;
  const { dtype, quant } = build.at(value.plain ?? value.last!);
  if (!isNarrow(dtype)) return value;
  if (!value.source || !quant)
    throw op.unsupported(`arithmetic on the integers of the quantized value "${value.name}"`, "dequantize it first");
  const { id, isLast } = value.source;
  const scaling: Scaling = {
    scale: quant.scale,
    zero: quant.zeroPoint,
    shape: [],
    axis: 0,
    block: 0,
    type: value.type,
  };
  const codes = codesOf(build, id, scaling);
  const { plain: _plain, last: _last, source: _source, ...rest } = value;
  return { ...rest, ...(isLast ? { last: codes } : { plain: codes }) };
}

/** Quantizes the float tensor `id` and sets output 0. */
function setQuantized(op: OnnxNode, id: number, isLast: boolean, scaling: Scaling): void {
  const { build } = op;
  const dtype = NARROW.get(scaling.type);
  if (scaling.scale.length > 1 && isLast) throw new Error("a scale a channel is only handled in ONNX's layout");
  if (dtype === undefined || scaling.scale.length > 1) {
    op.setIn(isLast, 0, codesOf(build, id, scaling), scaling.type);
    return;
  }
  const [y] = build.emit("quantize", [id], {}, 1, quantization(scaling), dtype);
  const value = op.setIn(isLast, 0, y!, scaling.type);
  if (value) value.source = { id, isLast };
}

/** The float32 tensor of a quantized value. */
function dequantized(op: OnnxNode, value: Value, scaling: Scaling): { id: number; isLast: boolean } {
  const { build } = op;
  const isLast = op.prefersLast(value);
  const known = value.plain ?? value.last!;
  const { dtype, quant } = build.at(known);
  if (
    isNarrow(dtype) &&
    quant &&
    scaling.scale.length === 1 &&
    quant.scale[0] === scaling.scale[0] &&
    quant.zeroPoint[0] === scaling.zero[0]
  ) {
    return { id: build.one("dequantize", [isLast ? value.last! : value.plain!], {}), isLast };
  }
  const whole = integersOf(op, value);
  const codes = build.numbers(whole);
  if (codes) return { id: constantReals(build, codes, whole, scaling), isLast: false };
  const x = build.plain(whole);
  const { shape } = build.at(x);
  const centred = scaling.zero.every((zero) => zero === 0)
    ? x
    : build.zip("sub", x, spread(build, scaling.zero, scaling, shape, "int32"));
  return {
    id: build.zip("mul", build.map("fromInt", centred), spread(build, scaling.scale, scaling, shape, "float32")),
    isLast: false,
  };
}

/** Constant real values, which remember the grid that they lie on unless it is one of blocks. */
function constantReals(build: Builder, codes: ArrayLike<number>, value: Value, scaling: Scaling): number {
  const { scale, zero } = scaling;
  const data = new Float32Array(codes.length);
  for (let at = 0; at < data.length; at++) {
    const i = scaleIndex(at, scaling, value.shape);
    data[at] = scale[i]! * (codes[at]! - zero[zero.length === 1 ? 0 : i]!);
  }
  return build.constant("float32", value.shape, data, scaling.block > 0 ? undefined : quantization(scaling));
}

const quantizeLinear: Importer = (op) => {
  const x = op.input(0);
  const type = op.optional(2)?.type ?? (op.int("output_dtype", 0) || TYPE.uint8);
  const scaling = scalingOf(op, 1, 2, type, x.shape.length, op.int("axis", 1), op.int("block_size", 0));
  if (!INTEGERS.has(type)) throw op.unsupported(`a quantization to ${typeName(type)}`);
  const isLast = op.prefersLast(x) && scaling.scale.length === 1;
  const id = isLast ? op.build.last(x) : op.build.plain(x);
  if (isFloatType(x.type)) return setQuantized(op, id, isLast, scaling);
  return setQuantized(op, op.build.map("fromInt", id), isLast, scaling);
};

const dequantizeLinear: Importer = (op) => {
  const x = op.input(0);
  const scaling = scalingOf(op, 1, 2, x.type, x.shape.length, op.int("axis", 1), op.int("block_size", 0));
  const { id, isLast } = dequantized(op, x, scaling);
  op.setIn(isLast, 0, id, TYPE.float);
};

/** The rule of ONNX's function body: a range that includes 0, 255 steps, everything in float32. */
const dynamicQuantize: Importer = (op) => {
  const { build } = op;
  const x = op.x();
  const axes = build.at(x).shape.map((_, axis) => axis);
  const least = build.zip("min", build.one("reduce", [x], { fn: "min", axes, keepDims: false }), build.scalar(0));
  const most = build.zip("max", build.one("reduce", [x], { fn: "max", axes, keepDims: false }), build.scalar(0));
  const scale = build.zip("div", build.zip("sub", most, least), build.scalar(255));
  const first = build.zip("div", build.zip("sub", build.scalar(0), least), scale);
  const zero = build.map("toInt", build.map("round", build.map("clip", first, 0, 255)));
  const code = build.map("toInt", build.map("round", build.zip("div", x, scale)));
  op.set(0, build.map("clip", build.zip("add", code, zero), 0, 255), TYPE.uint8);
  op.set(1, scale, TYPE.float);
  op.set(2, zero, TYPE.uint8);
};

/** A quantized input as a float value, by the scale and zero point in the inputs that follow it. */
export function realInput(op: OnnxNode, index: number, axis = 1): Value {
  const value = op.input(index);
  const scaling = scalingOf(op, index + 1, index + 2, value.type, value.shape.length, axis);
  const { id, isLast } = dequantized(op, value, scaling);
  return { name: value.name, type: TYPE.float, shape: value.shape, ...(isLast ? { last: id } : { plain: id }) };
}

/** Sets output 0 to the float tensor quantized by the scale and zero point at `scaleIndex`. */
export function setReal(op: OnnxNode, id: number, isLast: boolean, scaleAt: number): void {
  const type = op.optional(scaleAt + 1)?.type ?? op.input(0).type;
  setQuantized(op, id, isLast, scalingOf(op, scaleAt, scaleAt + 1, type, op.build.at(id).shape.length));
}

/** The int32 bias of a QLinear… operator as real numbers: its scale is that of the input times that of each weight. */
export function realBias(op: OnnxNode, index: number, xScale: number, wScale: number): number | undefined {
  const bias = op.numbers(index, "the bias");
  if (!bias) return undefined;
  const x = op.numbers(xScale, "the scale")![0]!;
  const w = op.numbers(wScale, "the scale")!;
  const data = Float32Array.from(bias, (value, i) => value * Math.fround(x * w[w.length === 1 ? 0 : i]!));
  return op.build.constant("float32", [bias.length], data);
}

/** Com.microsoft's QLinear… of one or two inputs: the float operator between dequantize and quantize. */
function onReals(
  inputs: readonly number[],
  scaleAt: number,
  f: (op: OnnxNode, values: readonly Value[]) => { id: number; isLast: boolean },
): Importer {
  return (op) => {
    const { id, isLast } = f(
      op,
      inputs.map((index) => realInput(op, index)),
    );
    setReal(op, id, isLast, scaleAt);
  };
}

function together(op: OnnxNode, values: readonly Value[], fn: "add" | "mul") {
  const isLast = op.prefersLast(...values) && values.every(({ shape }) => shape.length === values[0]!.shape.length);
  const [a, b] = values.map((value) => (isLast ? op.build.last(value) : op.build.plain(value)));
  return { id: op.build.zip(fn, a!, b!), isLast };
}

export const QUANTIZE: Readonly<Record<string, Importer>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantize,
  "com.microsoft:QuantizeLinear": quantizeLinear,
  "com.microsoft:DequantizeLinear": dequantizeLinear,
  "com.microsoft:QLinearAdd": onReals([0, 3], 6, (op, values) => together(op, values, "add")),
  "com.microsoft:QLinearMul": onReals([0, 3], 6, (op, values) => together(op, values, "mul")),
  "com.microsoft:QLinearSigmoid": onReals([0], 3, (op, [x]) => ({
    id: op.build.map("sigmoid", op.build.plain(x!)),
    isLast: false,
  })),
  "com.microsoft:QLinearLeakyRelu": onReals([0], 3, (op, [x]) => ({
    id: op.build.map("leakyRelu", op.build.plain(x!), op.float("alpha", 0.01)),
    isLast: false,
  })),
  "com.microsoft:QLinearSoftmax": onReals([0], 3, (op, [x]) => {
    const plain = op.build.plain(x!);
    if (op.axis(-1, x!.shape.length) !== x!.shape.length - 1)
      throw op.unsupported("a QLinearSoftmax over another axis than the last");
    return { id: op.build.one("floatSoftmax", [plain], { log: false }), isLast: false };
  }),
};

/** The permutation that `last` applies, for weights that follow a channels-last value. */
export const channelsLast = toLast;
