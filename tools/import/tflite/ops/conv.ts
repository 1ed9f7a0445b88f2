// CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV.
// Invariant: weights are already in the graph's layouts, which are TFLite's.

import type { Operand } from "../builder.ts";
import { quoted } from "../file.ts";
import {
  BuiltinOptions,
  Conv2DOptions,
  DepthwiseConv2DOptions,
  Padding,
  TransposeConvOptions,
} from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { bias, weights } from "../weights.ts";
import { fusedActivation, slide } from "../window.ts";

/** The four dimensions of an operand that must have four. */
function dimensions(op: OperatorContext, operand: Operand, role: string): [number, number, number, number] {
  op.rank(operand, 4, role);
  const [a = 0, b = 0, c = 0, d = 0] = operand.tensor.shape;
  return [a, b, c, d];
}

export function conv2d(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.Conv2DOptions, new Conv2DOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  const w = weights(op, 1, 0, x.tensor);
  const [batch, inH, inW, inC] = dimensions(op, x, "input");
  const [outC, kernelH, kernelW, kernelC] = dimensions(op, w, "weights");
  if (kernelC !== inC) {
    const grouped = inC % kernelC === 0 ? `, a grouped convolution of ${inC / kernelC} groups` : "";
    throw op.unsupported(
      `has ${inC} input channels but weights for ${kernelC}${grouped}`,
      "split it into one CONV_2D a group",
    );
  }
  const dilationH = options.dilationHFactor();
  const dilationW = options.dilationWFactor();
  const strideH = options.strideH();
  const strideW = options.strideW();
  const { outH, outW, padding } = slide(
    op,
    options.padding(),
    { size: inH, kernel: kernelH, stride: strideH, dilation: dilationH },
    { size: inW, kernel: kernelW, stride: strideW, dilation: dilationW },
  );
  op.expectShape(y, [batch, outH, outW, outC]);
  const activation = fusedActivation(op, options.fusedActivationFunction());
  const b = bias(op, 2, outC, x.tensor, w.tensor, y.tensor);
  const attrs = { strideH, strideW, padding, activation, dilationH, dilationW };
  op.emitWithBias("conv2d", x, w, b, y, attrs);
}

export function depthwiseConv2d(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.DepthwiseConv2DOptions, new DepthwiseConv2DOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  const w = weights(op, 1, 3, x.tensor);
  const [batch, inH, inW, inC] = dimensions(op, x, "input");
  const [one, kernelH, kernelW, outC] = dimensions(op, w, "weights");
  // The options' depth_multiplier is redundant, and some converters leave it at 0.
  const multiplier = outC / inC;
  if (one !== 1 || !Number.isInteger(multiplier)) {
    throw op.contradiction(
      `has weights ${quoted(w.tensor.name)} of shape [${w.tensor.shape}] for ${inC} input channels`,
    );
  }
  const dilationH = options.dilationHFactor();
  const dilationW = options.dilationWFactor();
  const strideH = options.strideH();
  const strideW = options.strideW();
  const { outH, outW, padding } = slide(
    op,
    options.padding(),
    { size: inH, kernel: kernelH, stride: strideH, dilation: dilationH },
    { size: inW, kernel: kernelW, stride: strideW, dilation: dilationW },
  );
  op.expectShape(y, [batch, outH, outW, outC]);
  const activation = fusedActivation(op, options.fusedActivationFunction());
  const b = bias(op, 2, outC, x.tensor, w.tensor, y.tensor);
  const attrs = { strideH, strideW, padding, activation, dilationH, dilationW, multiplier };
  op.emitWithBias("depthwiseConv2d", x, w, b, y, attrs);
}

export function transposeConv(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.TransposeConvOptions, new TransposeConvOptions());
  const x = op.activation(2);
  const y = op.output(0, x.tensor);
  const w = weights(op, 1, 0, x.tensor);
  const [batch, inH, inW, inC] = dimensions(op, x, "input");
  const [outC, kernelH, kernelW, kernelC] = dimensions(op, w, "weights");
  if (kernelC !== inC) throw op.contradiction(`has ${inC} input channels but weights for ${kernelC}`);
  const asked = op.ints(0, "output shape");
  op.expectShape(y, asked);
  const [askedBatch, outH = 0, outW = 0, askedC] = asked;
  if (asked.length !== 4 || askedBatch !== batch || askedC !== outC) {
    throw op.contradiction(`asks for output shape [${asked}], expected [${batch},height,width,${outC}]`);
  }
  const strideH = options.strideH();
  const strideW = options.strideW();
  // The operator is the gradient of a forward convolution from the output's size to the input's.
  const forward = slide(
    op,
    options.padding(),
    { size: outH, kernel: kernelH, stride: strideH, dilation: 1 },
    { size: outW, kernel: kernelW, stride: strideW, dilation: 1 },
  );
  if (forward.outH !== inH || forward.outW !== inW) {
    const rule = Padding[options.padding()];
    throw op.contradiction(
      `makes ${outH}×${outW} of ${inH}×${inW} with ${rule} padding, expected an input of ${forward.outH}×${forward.outW}`,
    );
  }
  // What is left of the full output; where the strides leave a rest, outH and outW reach past it.
  const cut = (full: number, before: number, out: number): number => Math.max(0, full - before - out);
  const { top, left } = forward.padding;
  const bottom = cut((inH - 1) * strideH + kernelH, top, outH);
  const right = cut((inW - 1) * strideW + kernelW, left, outW);
  const activation = fusedActivation(op, options.fusedActivationFunction());
  const b = bias(op, 3, outC, x.tensor, w.tensor, y.tensor);
  const attrs = { strideH, strideW, padding: { top, bottom, left, right }, activation, outH, outW };
  op.emitWithBias("transposedConv2d", x, w, b, y, attrs);
}
