// Operators on one element, or on two with NumPy broadcasting.
// Invariant: outputs have the broadcast shape of the inputs.

import type { Activation } from "../../../graph/graph.ts";
import {
  AddOptions,
  BuiltinOptions,
  LeakyReluOptions,
  MulOptions,
  SoftmaxOptions,
  SubOptions,
} from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { fusedActivation } from "../window.ts";

/** NumPy's rule; undefined when the shapes do not fit. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const sizes: number[] = [];
  for (let i = 0; i < rank; i++) {
    const sizeA = a[i - rank + a.length] ?? 1;
    const sizeB = b[i - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) return undefined;
    sizes.push(Math.max(sizeA, sizeB));
  }
  return sizes;
}

function binary(op: OperatorContext, kind: "add" | "sub" | "mul" | "squaredDifference", activation: Activation): void {
  const a = op.activation(0);
  const b = op.activation(1);
  const y = op.output(0, a.tensor);
  if (b.tensor.dtype !== a.tensor.dtype) {
    throw op.unsupported(`has inputs of types ${a.tensor.dtype} and ${b.tensor.dtype}, expected one type`);
  }
  const shape = broadcast(a.tensor.shape, b.tensor.shape);
  if (shape === undefined) {
    throw op.contradiction(`has inputs of shapes [${a.tensor.shape}] and [${b.tensor.shape}], which do not broadcast`);
  }
  op.expectShape(y, shape);
  op.emit(kind, [a, b], [y], { activation });
}

export function add(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.AddOptions, new AddOptions());
  binary(op, "add", options === undefined ? "none" : fusedActivation(op, options.fusedActivationFunction()));
}

export function sub(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.SubOptions, new SubOptions());
  binary(op, "sub", options === undefined ? "none" : fusedActivation(op, options.fusedActivationFunction()));
}

export function mul(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.MulOptions, new MulOptions());
  binary(op, "mul", options === undefined ? "none" : fusedActivation(op, options.fusedActivationFunction()));
}

export function squaredDifference(op: OperatorContext): void {
  binary(op, "squaredDifference", "none");
}

/** An importer of an operator that clamps the real value. */
export function clamp(min: number, max: number): (op: OperatorContext) => void {
  return (op) => {
    const x = op.activation(0);
    const y = op.output(0, x.tensor);
    op.expectShape(y, x.tensor.shape);
    op.emit("clamp", [x], [y], { min, max });
  };
}

/** An importer of a function of one element without attributes. */
export function unary(kind: "hardSwish" | "logistic" | "tanh" | "rsqrt"): (op: OperatorContext) => void {
  return (op) => {
    const x = op.activation(0);
    const y = op.output(0, x.tensor);
    op.expectShape(y, x.tensor.shape);
    op.emit(kind, [x], [y], {});
  };
}

export function leakyRelu(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.LeakyReluOptions, new LeakyReluOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  const alpha = options.alpha();
  if (!Number.isFinite(alpha)) throw op.contradiction(`has alpha ${alpha}`);
  op.expectShape(y, x.tensor.shape);
  op.emit("leakyRelu", [x], [y], { alpha });
}

export function softmax(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.SoftmaxOptions, new SoftmaxOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  const beta = options.beta();
  if (!(beta > 0 && beta < Number.POSITIVE_INFINITY))
    throw op.contradiction(`has beta ${beta}, expected a positive number`);
  if (x.tensor.shape.length === 0) throw op.contradiction("has a scalar input, expected at least one dimension");
  op.expectShape(y, x.tensor.shape);
  op.emit("softmax", [x], [y], { beta });
}
