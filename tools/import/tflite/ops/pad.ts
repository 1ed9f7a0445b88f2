// PAD and PADV2. Invariant: `value` is a real number that the output can hold; 0 is its zero point.

import type { Operand } from "../builder.ts";
import { quoted } from "../file.ts";
import type { OperatorContext } from "../operator.ts";

function emitPad(op: OperatorContext, x: Operand, value: number): void {
  const { shape } = x.tensor;
  const y = op.output(0, x.tensor, "bare");
  const flat = op.ints(1, "paddings");
  if (flat.length !== shape.length * 2 || flat.some((cells) => cells < 0)) {
    throw op.contradiction(
      `has paddings [${flat}] for ${shape.length} dimensions, expected two a dimension, none negative`,
    );
  }
  const paddings = shape.map((_, i): [number, number] => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0]);
  op.sameQuantization(x, y);
  op.expectShape(
    y,
    shape.map((size, i) => size + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0)),
  );
  op.emit("pad", [x], [y], { paddings, value });
}

export function pad(op: OperatorContext): void {
  emitPad(op, op.activation(0, "bare"), 0);
}

/** The value is stored quantized, like the input. */
export function padV2(op: OperatorContext): void {
  const x = op.activation(0);
  const { tensor } = op.activation(2);
  const { data } = tensor;
  if (data === undefined || data.length !== 1 || tensor.dtype !== x.tensor.dtype) {
    throw op.unsupported(`has padding value ${quoted(tensor.name)}, expected one constant of type ${x.tensor.dtype}`);
  }
  // TFLite copies the byte: it reads as the input's scale says, whatever scale the constant has.
  const scale = x.tensor.quant?.scale[0] ?? 1;
  const zeroPoint = x.tensor.quant?.zeroPoint[0] ?? 0;
  emitPad(op, x, (Number(data[0]) - zeroPoint) * scale);
}
