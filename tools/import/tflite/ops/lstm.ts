// UNIDIRECTIONAL_SEQUENCE_LSTM of int8 with an int16 cell: four gates without peepholes, projection or layer norm.
// Invariant: the file's variables (its state) start at zero in every run; a stream is made of it by the packer.

import type { Quantization, Tensor } from "../../../graph/graph.ts";
import type { Operand } from "../builder.ts";
import {
  ActivationFunctionType,
  BuiltinOptions,
  TensorType,
  UnidirectionalSequenceLSTMOptions,
} from "../generated/tflite.ts";
import { ADVICE } from "../obstacle.ts";
import type { OperatorContext } from "../operator.ts";
import { bias, weights } from "../weights.ts";

/** Where the operator's inputs stand. */
export const [WEIGHTS, RECURRENT, BIASES, HIDDEN, CELL] = [1, 5, 12, 18, 19] as const;
const OPTIONAL: readonly (readonly [first: number, last: number, what: string])[] = [
  [9, 11, "peephole weights"],
  [16, 17, "a projection"],
  [20, 23, "layer normalization"],
];

/** The options of a layer that is of the plain kind, of which the others are refused. */
export function plainOptions(op: OperatorContext): UnidirectionalSequenceLSTMOptions {
  const options = op.options(BuiltinOptions.UnidirectionalSequenceLSTMOptions, new UnidirectionalSequenceLSTMOptions());
  for (const [first, last, what] of OPTIONAL) {
    for (let at = first; at <= last; at++) if (op.hasInput(at)) throw op.unsupported(`has ${what}`);
  }
  if (options.fusedActivationFunction() !== ActivationFunctionType.TANH) {
    throw op.unsupported("has another activation than tanh");
  }
  if (options.projClip() > 0) throw op.unsupported("clips its projection");
  for (let gate = 0; gate < 4; gate++) {
    const whole = op.hasInput(WEIGHTS + gate) && op.hasInput(RECURRENT + gate);
    if (!whole) throw op.unsupported("has no input gate of its own (CIFG)");
  }
  return options;
}

export function lstm(op: OperatorContext): void {
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  if (x.tensor.dtype !== "int8") throw op.unsupported(`has ${x.tensor.dtype} input, expected int8`, ADVICE.quantize);
  const options = plainOptions(op);
  op.rank(x, 3, "input");
  const timeMajor = options.timeMajor();
  const [a = 0, b = 0, inC = 0] = x.tensor.shape;
  const units = y.tensor.shape.at(-1) ?? 0;
  op.expectShape(y, [a, b, units]);
  const batch = timeMajor ? b : a;
  const h = variable(op, HIDDEN, TensorType.INT8, [batch, units]);
  const c = variable(op, CELL, TensorType.INT16, [batch, units]);
  const cellClip = Math.max(0, options.cellClip());
  const w = joined(op, WEIGHTS, inC, units, x.tensor);
  const r = joined(op, RECURRENT, units, units, x.tensor);
  const biases = [0, 1, 2, 3].map((gate) => {
    const source = weights(op, WEIGHTS + gate, 0, x.tensor);
    return bias(op, BIASES + gate, units, x.tensor, source.tensor, y.tensor)?.tensor;
  });
  const data = Int32Array.from(
    biases.flatMap((one) => (one ? Array.from(one.data!, Number) : new Array<number>(units).fill(0))),
  );
  const b4 = op.builder.add({ name: `${op.name}/bias`, shape: [4 * units], dtype: "int32", data });
  const outputs = [y, op.builder.add(h), op.builder.add(c)].map(({ id }) => id);
  op.builder.emit("lstm", op.name, [x.id, w.id, r.id, b4.id, -1, -1, -1], outputs, {
    direction: "forward",
    timeMajor,
    cellClip,
  });
}

/** The type of a variable: what the layer leaves in it. */
function variable(op: OperatorContext, position: number, type: TensorType, shape: readonly number[]): Tensor {
  const { name, quant, type: got, shape: declared } = op.file(position);
  if (got !== type || quant?.scale.length !== 1 || declared.join() !== shape.join()) {
    throw op.unsupported(
      `has a state "${name}" of another type than int8 for the output and int16 for the cell`,
      ADVICE.quantize,
    );
  }
  return {
    name: `${op.name}/${name}`,
    shape,
    dtype: type === TensorType.INT8 ? "int8" : "int16",
    quant: { ...quant, axis: 0 },
  };
}

/** The weights of the gates input, forget, cell, output as one tensor of a scale for each row. */
function joined(op: OperatorContext, first: number, cells: number, units: number, x: Tensor): Operand {
  const parts = [0, 1, 2, 3].map((gate) => {
    const part = weights(op, first + gate, 0, x);
    op.expectShape(part, [units, cells]);
    return part.tensor;
  });
  const perRow = ({ quant }: Tensor, values: (quant: Quantization) => ArrayLike<number>): number[] => {
    const given = Array.from(values(quant!));
    return given.length === 1 ? new Array<number>(units).fill(given[0]!) : given;
  };
  return op.builder.add({
    name: `${op.name}/${first === WEIGHTS ? "weights" : "recurrent weights"}`,
    shape: [4 * units, cells],
    dtype: "int8",
    data: Int8Array.from(parts.flatMap((part) => Array.from(part.data as Int8Array))),
    quant: {
      scale: Float32Array.from(parts.flatMap((part) => perRow(part, ({ scale }) => scale))),
      zeroPoint: Int32Array.from(parts.flatMap((part) => perRow(part, ({ zeroPoint }) => zeroPoint))),
      axis: 0,
    },
  });
}
