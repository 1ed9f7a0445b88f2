// RNN, GRU and LSTM layers through time: x [N, T, in] → the last state [N, H], or all of them [N, T, H].
// Weights as in PyTorch: Wx [gates·H, in], Wh [gates·H, H], biases [gates·H]; gate order r, z, n and i, f, g, o.
// Invariant: inside, time is the outermost axis; the first state is zero.
//
//   x ─► [T, N, in] ─► gx = x·Wxᵀ + bx, all steps at once ─► cell, step by step ─► h [T + 1, N, H] ─► y

import { beyond, type Place } from "../emitter.ts";
import { type Emit, expectShape, type Value } from "../trace.ts";

export type CellKind = "rnn" | "gru" | "lstm";
export const GATES: Readonly<Record<CellKind, number>> = { rnn: 1, gru: 3, lstm: 4 };

export interface RecurrentWeights {
  readonly wx: Value;
  readonly wh: Value;
  readonly bx: Value;
  readonly bh: Value;
}

const packed = (k: number, n: number): number => k * Math.ceil(n / 8) * 8;
const four = (count: number): number => Math.ceil(count / 4) * 4;

export function recurrent(kind: CellKind, x: Value, weights: RecurrentWeights, { sequence = false } = {}): Value {
  expectShape(x.shape.length === 3, kind, `needs sequences [batch, steps, features] but got [${x.shape}].`);
  const [batch, steps, inputs] = x.shape as [number, number, number];
  const { wx, wh, bx, bh } = weights;
  const hidden = wh.shape[1]!;
  const width = GATES[kind] * hidden;
  expectShape(
    wx.shape.join() === [width, inputs].join() && wh.shape[0] === width,
    kind,
    `weights [${wx.shape}] and [${wh.shape}] do not fit an input [${x.shape}].`,
  );
  const rows = steps * batch;
  const state = batch * hidden;
  const timeMajor = (emit: Emit, from: Place, to: Place, n: number): void =>
    emit.call("permute", from, to, 1, steps, batch, n, 0, n, steps * n, 1);

  return x.trace.node(
    kind,
    [x, wx, wh, bx, bh],
    sequence ? [batch, steps, hidden] : [batch, hidden],
    {
      forward(emit, [x, wx, wh, bx, bh], y) {
        const xt = emit.buffer(rows * inputs);
        const gx = emit.buffer(rows * width);
        const h = emit.buffer((steps + 1) * state);
        timeMajor(emit, x!, xt, inputs);
        emit.call("fillRows", bx!, gx, rows, width);
        emit.call("gemm", rows, width, inputs, xt, inputs, 0, wx!, inputs, 1, gx, width, 1);
        emit.call("fill", h, state, 0);
        const room = emit.buffer(packed(hidden, width) + four(batch * width));
        const saved = [xt, h];
        if (kind === "gru") {
          const kept = emit.buffer(rows * 4 * hidden);
          emit.call("gru", gx, wh!, bh!, h, kept, room, steps, batch, hidden);
          saved.push(kept);
        } else if (kind === "lstm") {
          const c = emit.buffer((steps + 1) * state);
          emit.call("fill", c, state, 0);
          emit.call("lstm", gx, wh!, bh!, h, c, room, steps, batch, hidden);
          saved.push(gx, c);
        } else {
          emit.call("rnn", gx, wh!, bh!, h, room, steps, batch, hidden);
        }
        if (sequence) emit.call("permute", beyond(h, state), y, 1, batch, steps, hidden, 0, hidden, state, 1);
        else emit.call("copy", beyond(h, rows * hidden), y, state);
        return saved;
      },
      backward(emit, { inputs: [, wx, wh], saved: [xt, h, kept, c], dOutput, write }) {
        const dh = emit.buffer(state);
        const dy = sequence ? emit.buffer(rows * hidden) : 0;
        if (dy) {
          timeMajor(emit, dOutput, dy, hidden);
          emit.call("fill", dh, state, 0);
        } else {
          emit.call("copy", dOutput, dh, state);
        }
        const dgx = emit.buffer(rows * width);
        const dgh = kind === "gru" ? emit.buffer(rows * width) : dgx;
        const room = emit.buffer(packed(width, hidden));
        if (kind === "gru") emit.call("gruBackward", wh!, h!, kept!, dh, dy, dgx, dgh, room, steps, batch, hidden);
        else if (kind === "lstm") {
          const dc = emit.buffer(state);
          emit.call("fill", dc, state, 0);
          emit.call("lstmBackward", wh!, c!, kept!, dh, dc, dy, dgx, room, steps, batch, hidden);
        } else {
          emit.call("rnnBackward", wh!, h!, dh, dy, dgx, room, steps, batch, hidden);
        }
        write(0, (dx) => {
          const dxt = emit.buffer(rows * inputs);
          emit.call("gemm", rows, inputs, width, dgx, width, 0, wx!, inputs, 0, dxt, inputs, 0);
          emit.call("permute", dxt, dx, 1, batch, steps, inputs, 0, inputs, batch * inputs, 1);
        });
        write(1, (dwx) => emit.call("gemm", width, inputs, rows, dgx, width, 1, xt!, inputs, 0, dwx, inputs, 0));
        write(2, (dwh) => emit.call("gemm", width, hidden, rows, dgh, width, 1, h!, hidden, 0, dwh, hidden, 0));
        write(3, (dbx) => emit.call("sumRows", dgx, 0, dbx, rows, width));
        write(4, (dbh) => emit.call("sumRows", dgh, 0, dbh, rows, width));
      },
      reference: ([x, wx, wh, bx, bh]) =>
        recurrentReference(kind, { batch, steps, inputs, hidden, sequence }, x!, wx!, wh!, bx!, bh!),
    },
    { sequence },
  );
}

interface Sizes {
  readonly batch: number;
  readonly steps: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly sequence: boolean;
}

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

function recurrentReference(
  kind: CellKind,
  { batch, steps, inputs, hidden, sequence }: Sizes,
  x: Float64Array,
  wx: Float64Array,
  wh: Float64Array,
  bx: Float64Array,
  bh: Float64Array,
): Float64Array {
  const y = new Float64Array(batch * (sequence ? steps : 1) * hidden);
  for (let b = 0; b < batch; b++) {
    let h = new Float64Array(hidden);
    let c = new Float64Array(hidden);
    for (let t = 0; t < steps; t++) {
      const at = (b * steps + t) * inputs;
      const gx = bx.map((bias, g) => {
        let sum = bias;
        for (let i = 0; i < inputs; i++) sum += x[at + i]! * wx[g * inputs + i]!;
        return sum;
      });
      const gh = bh.map((bias, g) => {
        let sum = bias;
        for (let i = 0; i < hidden; i++) sum += h[i]! * wh[g * hidden + i]!;
        return sum;
      });
      const gate = (g: number, j: number): number => gx[g * hidden + j]! + gh[g * hidden + j]!;
      if (kind === "rnn") h = h.map((_, j) => Math.tanh(gate(0, j)));
      else if (kind === "gru") {
        h = h.map((before, j) => {
          const n = Math.tanh(gx[2 * hidden + j]! + sigmoid(gate(0, j)) * gh[2 * hidden + j]!);
          return n + sigmoid(gate(1, j)) * (before - n);
        });
      } else {
        c = c.map((before, j) => sigmoid(gate(1, j)) * before + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
        h = c.map((cell, j) => sigmoid(gate(3, j)) * Math.tanh(cell));
      }
      if (sequence) y.set(h, (b * steps + t) * hidden);
    }
    if (!sequence) y.set(h, b * hidden);
  }
  return y;
}
