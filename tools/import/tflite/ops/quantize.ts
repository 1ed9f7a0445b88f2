// QUANTIZE and DEQUANTIZE. Invariant: float32 is only at the model's edges: what is quantized comes
// from an input of the model, and only activations are dequantized, never weights.

import { quoted } from "../file.ts";
import { ADVICE } from "../obstacle.ts";
import type { OperatorContext } from "../operator.ts";

export function quantize(op: OperatorContext): void {
  const source = op.input(0);
  const y = op.integer("output", 0);
  op.expectShape(y, source.tensor.shape);
  if (source.tensor.dtype !== "float32") {
    op.emit("requantize", [op.integer("input", 0)], [y], {});
    return;
  }
  if (source.tensor.data !== undefined) {
    throw op.unsupported(`quantizes the constant ${quoted(source.tensor.name)} at run time`, ADVICE.quantize);
  }
  op.emit("quantize", [source], [y], {});
}

export function dequantize(op: OperatorContext): void {
  const source = op.input(0);
  if (source.tensor.data !== undefined) {
    throw op.unsupported(
      `widens the constant ${quoted(source.tensor.name)} to float32 (only the weights are quantized)`,
      ADVICE.quantize,
    );
  }
  const x = op.activation(0);
  const y = op.anyOutput();
  if (y.tensor.dtype !== "float32") {
    throw op.contradiction(`has output ${quoted(y.tensor.name)} of type ${y.tensor.dtype}, expected float32`);
  }
  op.expectShape(y, x.tensor.shape);
  op.emit("dequantize", [x], [y], {});
}
