// AVERAGE_POOL_2D, MAX_POOL_2D and MEAN. Invariant: pooling keeps the scale and zero point, as
// TFLite's kernels assume without looking.

import { BuiltinOptions, Pool2DOptions, ReducerOptions } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { fusedActivation, slide } from "../window.ts";

function pool2d(op: OperatorContext, kind: "averagePool2d" | "maxPool2d"): void {
  const options = op.options(BuiltinOptions.Pool2DOptions, new Pool2DOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  op.rank(x, 4, "input");
  op.sameQuantization(x, y);
  const [batch = 0, inH = 0, inW = 0, channels = 0] = x.tensor.shape;
  const kernelH = options.filterHeight();
  const kernelW = options.filterWidth();
  const strideH = options.strideH();
  const strideW = options.strideW();
  const { outH, outW, padding } = slide(
    op,
    options.padding(),
    { size: inH, kernel: kernelH, stride: strideH, dilation: 1 },
    { size: inW, kernel: kernelW, stride: strideW, dilation: 1 },
  );
  op.expectShape(y, [batch, outH, outW, channels]);
  const activation = fusedActivation(op, options.fusedActivationFunction());
  op.emit(kind, [x], [y], { strideH, strideW, padding, activation, kernelH, kernelW });
}

export function averagePool2d(op: OperatorContext): void {
  pool2d(op, "averagePool2d");
}

export function maxPool2d(op: OperatorContext): void {
  pool2d(op, "maxPool2d");
}

export function mean(op: OperatorContext): void {
  const options = op.optionalOptions(BuiltinOptions.ReducerOptions, new ReducerOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  const { shape } = x.tensor;
  const named = op.ints(1, "axes").map((axis) => op.axis(axis, shape.length));
  const axes = [...new Set(named)].sort((a, b) => a - b);
  const keepDims = options?.keepDims() ?? false;
  const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  op.expectShape(y, keepDims ? kept : kept.filter((_, i) => !axes.includes(i)));
  op.emit("mean", [x], [y], { axes, keepDims });
}
