// Constant operands of the operators that multiply by weights.
// Invariant: weights are int8 (or uint8 beside uint8 activations), quantized per tensor or along the
// output channel; a bias has one int32 or int64 per output channel, at scale s_x · s_w[channel].

import { elementCount, type Tensor } from "../../graph/graph.ts";
import type { Operand } from "./builder.ts";
import { quoted } from "./file.ts";
import { ADVICE } from "./obstacle.ts";
import type { OperatorContext } from "./operator.ts";

/** `axis` is the one of the output channels. */
export function weights(op: OperatorContext, position: number, axis: number, x: Tensor): Operand {
  const operand = op.input(position);
  const { name, dtype, data, quant, shape } = operand.tensor;
  const wanted = x.dtype === "uint8" ? "uint8" : "int8";
  if (dtype !== wanted) {
    throw op.unsupported(
      `has ${dtype} weights ${quoted(name)} beside ${x.dtype} activations, expected ${wanted}`,
      ADVICE.quantize,
    );
  }
  if (data === undefined) {
    throw op.unsupported(`has weights ${quoted(name)} that are computed at run time, expected a constant`);
  }
  if (quant === undefined) throw op.unsupported(`has weights ${quoted(name)} without a scale`, ADVICE.quantize);
  const count = quant.scale.length;
  if (count > 1 && (quant.axis !== axis || count !== shape[axis])) {
    throw op.contradiction(
      `has weights ${quoted(name)} of shape [${shape}] with ${count} scales along axis ${quant.axis}, expected ${shape[axis]} along axis ${axis}`,
    );
  }
  const [low, high] = wanted === "uint8" ? [0, 255] : [-128, 127];
  const bad = quant.zeroPoint.find((point) => point < low || point > high);
  if (bad !== undefined) throw op.contradiction(`has weights ${quoted(name)} of type ${dtype} with zero point ${bad}`);
  return operand;
}

/** The bias at an input, if there is one. */
export function bias(
  op: OperatorContext,
  position: number,
  channels: number,
  x: Tensor,
  w: Tensor,
  y: Tensor,
): Operand | undefined {
  if (!op.hasInput(position)) return undefined;
  const operand = op.input(position);
  const { name, dtype, data, shape } = operand.tensor;
  const wide = dtype === "int64" && x.dtype === "int16";
  if (dtype !== "int32" && !wide) {
    const wanted = x.dtype === "int16" ? "int32 or int64" : "int32";
    throw op.unsupported(`has bias ${quoted(name)} of type ${dtype}, expected ${wanted}`, ADVICE.quantize);
  }
  if (data === undefined)
    throw op.unsupported(`has bias ${quoted(name)} that is computed at run time, expected a constant`);
  if (elementCount(shape) !== channels) {
    throw op.contradiction(`has bias ${quoted(name)} of shape [${shape}], expected [${channels}]`);
  }
  const scale = op.storedScale(position);
  if (scale !== undefined) checkScale(op, operand, scale, x, w, y);
  return operand;
}

/** TFLite's own tolerance: a fiftieth of the output's step. The quantized axis of a bias is not looked at. */
function checkScale(op: OperatorContext, operand: Operand, scale: Float32Array, x: Tensor, w: Tensor, y: Tensor): void {
  const sx = x.quant?.scale[0] ?? 0;
  const sy = y.quant?.scale[0] ?? 0;
  const channelScales = w.quant?.scale ?? new Float32Array();
  channelScales.forEach((sw, channel) => {
    const got = scale[scale.length === 1 ? 0 : channel] ?? 0;
    const expected = sx * sw;
    if (Math.abs(expected - got) <= 0.02 * sy && scale.length <= Math.max(1, channelScales.length)) return;
    throw op.contradiction(
      `has bias ${quoted(operand.tensor.name)} at scale ${got} in channel ${channel}, expected input scale · weight scale = ${expected}`,
    );
  });
}
