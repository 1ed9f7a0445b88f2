// The operators between float32 tensors: each becomes the float nodes that do the same, in the same layouts. What only
// moves elements is imported as for integers. Invariant: weights and biases are float32 constants; a fused activation is a
// clamp of the node, or a node of its own where the operator has no bounds.

import { elementCount, type MapName, type ReduceName, type Tensor, type Triple } from "../../../graph/graph.ts";
import type { Operand } from "../builder.ts";
import { quoted } from "../file.ts";
import {
  type ActivationFunctionType,
  AddOptions,
  BatchMatMulOptions,
  BuiltinOperator,
  BuiltinOptions,
  Conv2DOptions,
  DepthwiseConv2DOptions,
  FullyConnectedOptions,
  LeakyReluOptions,
  MulOptions,
  type Padding,
  Pool2DOptions,
  ReducerOptions,
  SoftmaxOptions,
  SubOptions,
  TensorType,
} from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { fusedActivation, slide } from "../window.ts";
import { broadcast } from "./elementwise.ts";
import { floatLstm } from "./floatLstm.ts";
import type { OperatorImporter } from "./registry.ts";

const [LEAST, MOST] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const BOUNDS = { none: [LEAST, MOST], relu: [0, MOST], relu6: [0, 6], reluN1To1: [-1, 1] } as const;

function bounds(op: OperatorContext, type: ActivationFunctionType): { readonly min: number; readonly max: number } {
  const [min, max] = BOUNDS[fusedActivation(op, type)];
  return { min, max };
}

/** The float32 operand at an input, or the refusal that the integer importers have for it. */
export function real(op: OperatorContext, position: number): Operand {
  const operand = op.input(position);
  if (operand.tensor.dtype !== "float32") op.activation(0);
  return operand;
}

export function result(op: OperatorContext, shape: readonly number[]): Operand {
  const y = op.anyOutput();
  if (y.tensor.dtype !== "float32") {
    throw op.unsupported(`has float32 inputs but ${y.tensor.dtype} output ${quoted(y.tensor.name)}`);
  }
  op.expectShape(y, shape);
  return y;
}

/** A tensor between the nodes of one operator. */
export const between = (op: OperatorContext, like: Tensor, shape = like.shape): Operand =>
  op.builder.add({ name: `${op.name}/${op.builder.tensors.length}`, shape, dtype: "float32" });

export function constants(op: OperatorContext, position: number, role: string): Operand {
  const operand = real(op, position);
  if (operand.tensor.data) return operand;
  throw op.unsupported(`has ${role} ${quoted(operand.tensor.name)} that are computed at run time, expected a constant`);
}

function bias(op: OperatorContext, position: number, channels: number): Operand[] {
  if (!op.hasInput(position)) return [];
  const operand = constants(op, position, "biases");
  if (elementCount(operand.tensor.shape) !== channels) {
    throw op.contradiction(
      `has bias ${quoted(operand.tensor.name)} of shape [${operand.tensor.shape}], expected [${channels}]`,
    );
  }
  return [operand];
}

interface Sliding {
  readonly rule: Padding;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
}

function window(op: OperatorContext, x: Operand, { rule, kernel, stride, dilation }: Sliding) {
  const [, inH = 0, inW = 0] = x.tensor.shape;
  const axis = (size: number, i: 0 | 1) => ({ size, kernel: kernel[i], stride: stride[i], dilation: dilation[i] });
  const { outH, outW, padding } = slide(op, rule, axis(inH, 0), axis(inW, 1));
  const attrs = {
    stride: [1, ...stride] as Triple,
    dilation: [1, ...dilation] as Triple,
    pad: [0, padding.top, padding.left] as Triple,
    padAfter: [0, padding.bottom, padding.right] as Triple,
  };
  return { outH, outW, attrs };
}

function conv2d(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.Conv2DOptions, new Conv2DOptions());
  const [x, w] = [real(op, 0), constants(op, 1, "weights")];
  op.rank(x, 4, "input");
  op.rank(w, 4, "weights");
  const [outC = 0, kernelH = 0, kernelW = 0, kernelC = 0] = w.tensor.shape;
  const [batch = 0, , , inC = 0] = x.tensor.shape;
  const groups = inC / kernelC;
  if (!Number.isInteger(groups) || outC % groups !== 0) {
    throw op.contradiction(`has ${inC} input channels but weights for ${kernelC}`);
  }
  const { outH, outW, attrs } = window(op, x, {
    rule: options.padding(),
    kernel: [kernelH, kernelW],
    stride: [options.strideH(), options.strideW()],
    dilation: [options.dilationHFactor(), options.dilationWFactor()],
  });
  const y = result(op, [batch, outH, outW, outC]);
  const clamp = bounds(op, options.fusedActivationFunction());
  op.emit("floatConv", [x, w, ...bias(op, 2, outC)], [y], { ...attrs, groups, ...clamp });
}

function depthwiseConv2d(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.DepthwiseConv2DOptions, new DepthwiseConv2DOptions());
  const [x, w] = [real(op, 0), constants(op, 1, "weights")];
  op.rank(x, 4, "input");
  op.rank(w, 4, "weights");
  const [one, kernelH = 0, kernelW = 0, outC = 0] = w.tensor.shape;
  const [batch = 0, , , inC = 0] = x.tensor.shape;
  if (one !== 1 || outC % inC !== 0) {
    throw op.contradiction(
      `has weights ${quoted(w.tensor.name)} of shape [${w.tensor.shape}] for ${inC} input channels`,
    );
  }
  const { outH, outW, attrs } = window(op, x, {
    rule: options.padding(),
    kernel: [kernelH, kernelW],
    stride: [options.strideH(), options.strideW()],
    dilation: [options.dilationHFactor(), options.dilationWFactor()],
  });
  const y = result(op, [batch, outH, outW, outC]);
  const clamp = bounds(op, options.fusedActivationFunction());
  const taps = kernelH * kernelW;
  const from = w.tensor.data as Float32Array;
  const data = Float32Array.from(from, (_, at) => from[(at % taps) * outC + Math.floor(at / taps)]!);
  const turned = op.builder.add({ ...w.tensor, shape: [outC, kernelH, kernelW, 1], data });
  op.emit("floatConv", [x, turned, ...bias(op, 2, outC)], [y], { ...attrs, groups: inC, ...clamp });
}

function fullyConnected(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.FullyConnectedOptions, new FullyConnectedOptions());
  const [x, w] = [real(op, 0), constants(op, 1, "weights")];
  op.rank(w, 2, "weights");
  const [outC = 0, inC = 0] = w.tensor.shape;
  const { shape } = x.tensor;
  const rows = elementCount(shape) / inC;
  const keeps = options.keepNumDims();
  if (keeps ? shape.at(-1) !== inC : !Number.isInteger(rows)) {
    throw op.contradiction(`has input of shape [${shape}], expected rows of ${inC}`);
  }
  const y = result(op, keeps ? [...shape.slice(0, -1), outC] : [rows, outC]);
  const isMatrix = keeps && shape.length > 1 ? true : shape.length === 2 && shape[1] === inC;
  const matrix = isMatrix ? x : between(op, x.tensor, [rows, inC]);
  if (!isMatrix) op.emit("reshape", [x], [matrix], { shape: [rows, inC] }, `${op.name}/rows`);
  const attrs = { transposeB: true, ...bounds(op, options.fusedActivationFunction()) };
  op.emit("floatMatmul", [matrix, w, ...bias(op, 2, outC)], [y], attrs);
}

const pool =
  (kind: "average" | "max"): OperatorImporter =>
  (op) => {
    const options = op.options(BuiltinOptions.Pool2DOptions, new Pool2DOptions());
    const x = real(op, 0);
    op.rank(x, 4, "input");
    const kernel = [options.filterHeight(), options.filterWidth()] as const;
    const { outH, outW, attrs } = window(op, x, {
      rule: options.padding(),
      kernel,
      stride: [options.strideH(), options.strideW()],
      dilation: [1, 1],
    });
    const y = result(op, [x.tensor.shape[0]!, outH, outW, x.tensor.shape[3]!]);
    const pooled = {
      ...attrs,
      kind,
      kernel: [1, ...kernel] as Triple,
      countPad: false,
      out: [1, outH, outW] as Triple,
    };
    clamped(op, y, bounds(op, options.fusedActivationFunction()), (to) => op.emit("floatPool", [x], [to], pooled));
  };

/** `emit` writes to `y`, or to a tensor before it where there are bounds. */
function clamped(
  op: OperatorContext,
  y: Operand,
  { min, max }: { readonly min: number; readonly max: number },
  emit: (to: Operand) => void,
): void {
  const isOpen = min === LEAST && max === MOST;
  const open = isOpen ? y : between(op, y.tensor);
  emit(open);
  if (!isOpen) op.emit("map", [open], [y], { fn: "clip", a: min, b: max }, `${op.name}/clip`);
}

function zip(fn: "add" | "sub" | "mul", activation: (op: OperatorContext) => ActivationFunctionType | undefined) {
  return (op: OperatorContext): void => {
    const [a, b] = [real(op, 0), real(op, 1)];
    const shape = broadcast(a.tensor.shape, b.tensor.shape);
    if (shape === undefined) {
      throw op.contradiction(
        `has inputs of shapes [${a.tensor.shape}] and [${b.tensor.shape}], which do not broadcast`,
      );
    }
    const type = activation(op);
    const open = { min: LEAST, max: MOST };
    clamped(op, result(op, shape), type === undefined ? open : bounds(op, type), (to) =>
      op.emit("zip", [a, b], [to], { fn }),
    );
  };
}

function squaredDifference(op: OperatorContext): void {
  const [a, b] = [real(op, 0), real(op, 1)];
  const shape = broadcast(a.tensor.shape, b.tensor.shape);
  if (shape === undefined) throw op.contradiction("has inputs whose shapes do not broadcast");
  const y = result(op, shape);
  const difference = between(op, y.tensor);
  op.emit("zip", [a, b], [difference], { fn: "sub" }, `${op.name}/difference`);
  op.emit("zip", [difference, difference], [y], { fn: "mul" });
}

/** Functions of one element, one after the other. */
const map =
  (...functions: readonly (readonly [MapName, number?, number?])[]): OperatorImporter =>
  (op) => {
    let x = real(op, 0);
    const y = result(op, x.tensor.shape);
    for (const [i, [fn, a = 0, b = 0]] of functions.entries()) {
      const last = i === functions.length - 1;
      const to = last ? y : between(op, y.tensor);
      op.emit("map", [x], [to], { fn, a, b }, last ? op.name : `${op.name}/${fn}`);
      x = to;
    }
  };

function leakyRelu(op: OperatorContext): void {
  const alpha = op.options(BuiltinOptions.LeakyReluOptions, new LeakyReluOptions()).alpha();
  if (!Number.isFinite(alpha)) throw op.contradiction(`has alpha ${alpha}`);
  map(["leakyRelu", alpha])(op);
}

function softmax(op: OperatorContext): void {
  const beta = op.options(BuiltinOptions.SoftmaxOptions, new SoftmaxOptions()).beta();
  if (!(beta > 0 && beta < MOST)) throw op.contradiction(`has beta ${beta}, expected a positive number`);
  const x = real(op, 0);
  const y = result(op, x.tensor.shape);
  const scaled = beta === 1 ? x : between(op, x.tensor);
  if (beta !== 1) op.emit("map", [x], [scaled], { fn: "affine", a: beta, b: 0 }, `${op.name}/beta`);
  op.emit("floatSoftmax", [scaled], [y], { log: false });
}

function reduce(fn: ReduceName): OperatorImporter {
  return (op) => {
    const options = op.optionalOptions(BuiltinOptions.ReducerOptions, new ReducerOptions());
    const x = real(op, 0);
    const { shape } = x.tensor;
    const axes = [...new Set(op.ints(1, "axes").map((axis) => op.axis(axis, shape.length)))].sort((a, b) => a - b);
    const keepDims = options?.keepDims() ?? false;
    const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const y = result(op, keepDims ? kept : kept.filter((_, i) => !axes.includes(i)));
    op.emit("reduce", [x], [y], { fn, axes, keepDims });
  };
}

function batchMatmul(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.BatchMatMulOptions, new BatchMatMulOptions());
  const transposeB = options?.adjY() ?? false;
  if (options?.adjX()) throw op.unsupported("transposes its float32 first input", "transpose it by an operator before");
  const [a, b] = [real(op, 0), real(op, 1)];
  const [shapeA, shapeB] = [a.tensor.shape, b.tensor.shape];
  const batch = broadcast(shapeA.slice(0, -2), shapeB.slice(0, -2));
  const [inner, columns] = transposeB ? [shapeB.at(-1), shapeB.at(-2)] : [shapeB.at(-2), shapeB.at(-1)];
  if (shapeA.length < 2 || shapeB.length < 2 || batch === undefined || shapeA.at(-1) !== inner) {
    throw op.contradiction(`multiplies shapes [${shapeA}] and [${shapeB}], which do not fit`);
  }
  const y = result(op, [...batch, shapeA.at(-2)!, columns!]);
  op.emit("floatMatmul", [a, b], [y], { transposeB, min: LEAST, max: MOST });
}

const activationOf =
  (type: BuiltinOptions, make: () => AddOptions | SubOptions | MulOptions) =>
  (op: OperatorContext): ActivationFunctionType | undefined =>
    op.optionalOptions(type, make())?.fusedActivationFunction();

const FLOAT_IMPORTERS: ReadonlyMap<number, OperatorImporter> = new Map<number, OperatorImporter>([
  [BuiltinOperator.CONV_2D, conv2d],
  [BuiltinOperator.DEPTHWISE_CONV_2D, depthwiseConv2d],
  [BuiltinOperator.FULLY_CONNECTED, fullyConnected],
  [BuiltinOperator.AVERAGE_POOL_2D, pool("average")],
  [BuiltinOperator.MAX_POOL_2D, pool("max")],
  [BuiltinOperator.MEAN, reduce("mean")],
  [
    BuiltinOperator.ADD,
    zip(
      "add",
      activationOf(BuiltinOptions.AddOptions, () => new AddOptions()),
    ),
  ],
  [
    BuiltinOperator.SUB,
    zip(
      "sub",
      activationOf(BuiltinOptions.SubOptions, () => new SubOptions()),
    ),
  ],
  [
    BuiltinOperator.MUL,
    zip(
      "mul",
      activationOf(BuiltinOptions.MulOptions, () => new MulOptions()),
    ),
  ],
  [BuiltinOperator.SQUARED_DIFFERENCE, squaredDifference],
  [BuiltinOperator.RELU, map(["clip", 0, MOST])],
  [BuiltinOperator.RELU6, map(["clip", 0, 6])],
  [BuiltinOperator.RELU_N1_TO_1, map(["clip", -1, 1])],
  [BuiltinOperator.RELU_0_TO_1, map(["clip", 0, 1])],
  [BuiltinOperator.LEAKY_RELU, leakyRelu],
  [BuiltinOperator.HARD_SWISH, map(["hardSwish"])],
  [BuiltinOperator.LOGISTIC, map(["sigmoid"])],
  [BuiltinOperator.TANH, map(["tanh"])],
  [BuiltinOperator.RSQRT, map(["sqrt"], ["reciprocal"])],
  [BuiltinOperator.SOFTMAX, softmax],
  [BuiltinOperator.BATCH_MATMUL, batchMatmul],
  [BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM, floatLstm],
]);

/** The importer of an operator that reads and writes float32; undefined where it does not, or where none is of its own. */
export function floatImporter(op: OperatorContext, builtin: number): OperatorImporter | undefined {
  const isFloat = op.inputCount > 0 && op.hasInput(0) && op.file(0).type === TensorType.FLOAT32;
  return isFloat && op.outputType() === TensorType.FLOAT32 ? FLOAT_IMPORTERS.get(builtin) : undefined;
}
