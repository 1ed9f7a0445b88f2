// RNN, GRU and LSTM in int8: the core's recurrent step with its state kept in int16, and the last output taken.
// Invariant: PyTorch's gate order r, z, n becomes the graph's z, r, n; biases stay two, of the two products' scales.

import { type CellKind, GATES } from "../ops/recurrent.ts";
import type { Value } from "../trace.ts";
import { fixedScale } from "./builder.ts";
import type { Context } from "./exportInt8.ts";

const WIDE = fixedScale(2 ** -15, 0);
const OUTPUT = fixedScale(1 / 128, 0);
/** Fraction bits 11: cell states within ±16. */
const CELL = fixedScale(2 ** -11, 0);

/** The blocks of `size` values of a matrix of gates, in the graph's order. */
function inGraphOrder(kind: CellKind, data: Float32Array): Float32Array {
  if (kind !== "gru") return data;
  const size = data.length / 3;
  return Float32Array.from(data, (_, i) => {
    const gate = [1, 0, 2][Math.floor(i / size)]!;
    return data[gate * size + (i % size)]!;
  });
}

/** Returns the tensor of `value`. */
export function recurrentNodes({ builder, tensor, data }: Context, value: Value): number {
  const kind = value.op as CellKind;
  const [x, wx, wh, bx, bh] = value.inputs as [Value, Value, Value, Value, Value];
  const [, steps] = x.shape as [number, number, number];
  const units = wh.shape[1]!;
  const width = GATES[kind] * units;
  const from = tensor(x);
  const [ofInput, ofState, inputBias, stateBias] = [wx, wh, bx, bh].map((each) => inGraphOrder(kind, data(each)));
  const weights = builder.weights(wx.name, wx.shape, ofInput!, 0);
  const recurrent = builder.weights(wh.name, [width, units], ofState!, 0);
  const inputs = [
    from,
    weights,
    recurrent,
    builder.bias(bx.name, inputBias!, builder.scaleOf(from), weights),
    builder.bias(bh.name, stateBias!, WIDE.scale[0]!, recurrent),
    -1,
  ];
  const y = builder.activation(`${value.name}_states`, [1, steps, units], OUTPUT);
  const held = (name: string, quant: typeof WIDE): number =>
    builder.tensors.push({ name: `${value.name}_${name}`, shape: [1, units], dtype: "int16", quant }) - 1;
  const attrs = { direction: "forward", timeMajor: false } as const;
  if (kind === "gru") builder.node("gru", value.name, inputs, [y, held("last", WIDE)], { ...attrs, resetAfter: true });
  else if (kind === "rnn") builder.node("rnn", value.name, inputs, [y, held("last", WIDE)], attrs);
  else
    builder.node("lstm", value.name, [...inputs, -1], [y, held("last", WIDE), held("cell", CELL)], {
      ...attrs,
      cellClip: 0,
    });
  if (value.attrs.sequence) return y;
  const last = builder.activation(value.name, [1, units], OUTPUT);
  const slice = { begin: [0, steps - 1, 0], strides: [1, 1, 1], sizes: [1, 1, units], squeeze: [1] };
  builder.node("stridedSlice", `${value.name}_last`, [y], [last], slice);
  return last;
}
