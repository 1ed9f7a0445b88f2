// UNIDIRECTIONAL_SEQUENCE_LSTM of float32, of the plain kind (lstm.ts), as a floatRecurrent.
// Invariant: the gates come in floatRecurrent's order: input, output, forget, candidate; the state is zero at the start of a run.

import type { Operand } from "../builder.ts";
import type { OperatorContext } from "../operator.ts";
import { between, constants, real, result } from "./float.ts";
import { BIASES, plainOptions, RECURRENT, WEIGHTS } from "./lstm.ts";

/** Where the file has (input, forget, candidate, output) what floatRecurrent wants. */
const ORDER = [0, 3, 1, 2];

export function floatLstm(op: OperatorContext): void {
  const options = plainOptions(op);
  const x = real(op, 0);
  op.rank(x, 3, "input");
  const [a = 0, b = 0, inC = 0] = x.tensor.shape;
  const [units = 0] = constants(op, RECURRENT, "recurrent weights").tensor.shape;
  const y = result(op, [a, b, units]);
  const joined = (first: number, what: string, shape: readonly number[]): number[] =>
    ORDER.flatMap((gate) => {
      if (first === BIASES && !op.hasInput(first + gate)) return new Array<number>(units).fill(0);
      const part = constants(op, first + gate, what);
      op.expectShape(part, shape);
      return Array.from(part.tensor.data as Float32Array);
    });
  const constant = (what: string, shape: readonly number[], values: readonly number[]): Operand =>
    op.builder.add({ name: `${op.name}/${what}`, shape, dtype: "float32", data: Float32Array.from(values) });
  const w = constant("weights", [4 * units, inC], joined(WEIGHTS, "weights", [units, inC]));
  const r = constant("recurrent weights", [4 * units, units], joined(RECURRENT, "recurrent weights", [units, units]));
  // the second row is what the recurrent products add
  const biases = [...joined(BIASES, "biases", [units]), ...new Array<number>(4 * units).fill(0)];
  const bias = constant("bias", [2, 4 * units], biases);
  const [batch, time] = options.timeMajor() ? [b, a] : [a, b];
  const turn = !options.timeMajor();
  const permutation = [1, 0, 2];
  const rows = turn ? between(op, x.tensor, [time, batch, inC]) : x;
  const out = turn ? between(op, y.tensor, [time, batch, units]) : y;
  const states = [0, 1].map(() => between(op, y.tensor, [batch, units]));
  if (turn) op.emit("transpose", [x], [rows], { permutation }, `${op.name}/steps first`);
  op.emit("floatRecurrent", [rows, w, r, bias], [out, ...states], {
    kind: "lstm",
    reverse: false,
    lengths: [],
    gateFn: "sigmoid",
    candidateFn: "tanh",
    outputFn: "tanh",
    alpha: 0,
    cellClip: Math.max(0, options.cellClip()),
  });
  if (turn) op.emit("transpose", [out], [y], { permutation }, `${op.name}/batch first`);
}
