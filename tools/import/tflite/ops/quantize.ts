// QUANTIZE and DEQUANTIZE. Invariant: a dequantized constant is a float32 constant, for models of which only the weights
// are stored in fewer bits (float16, int8 or int4).

import { elementCount } from "../../../graph/graph.ts";
import type { Operand } from "../builder.ts";
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
    op.pass(realConstant(op, source));
    return;
  }
  const x = op.activation(0);
  const y = op.anyOutput();
  if (y.tensor.dtype !== "float32") {
    throw op.contradiction(`has output ${quoted(y.tensor.name)} of type ${y.tensor.dtype}, expected float32`);
  }
  op.expectShape(y, x.tensor.shape);
  op.emit("dequantize", [x], [y], {});
}

/** float16 is float32 already. */
function realConstant(op: OperatorContext, source: Operand): Operand {
  const { name, shape, dtype, data, quant } = source.tensor;
  if (dtype === "float32") return source;
  if (quant === undefined) throw op.contradiction(`has constant ${quoted(name)} without a scale`);
  const { scale, zeroPoint, axis } = quant;
  const inner = elementCount(shape.slice(axis + 1));
  const real = Float32Array.from({ length: data!.length }, (_, at) => {
    const c = scale.length === 1 ? 0 : Math.floor(at / inner) % scale.length;
    return scale[c]! * (Number(data![at]) - zeroPoint[c]!);
  });
  return op.builder.add({ name, shape, dtype: "float32", data: real });
}
