// One time step of the recurrent operators in integers: the rule that assembly/ops/recurrent.ts equals bit for bit.
// rne rounds to nearest, ties to even; every result saturates at int16.
//
//   product(w, x)  = rne(f32(f32(Σ w·x + bias) · f32(f32(s_x · s_w) · 4096)))        Q3.12, for each gate and unit
//   a ∘ b          = (a · b + 2^14) >> 15                                            Q0.15 · Q0.15
//   σ, tanh        = gateTables.ts                                                   Q3.12 → Q0.15
//
//   rnn    h = tanh(W x + R h)
//   gru    z = σ(W_z x + R_z h)   r = σ(W_r x + R_r h)   h' = z ∘ h + (32767 − z) ∘ n
//          n = tanh(W_n x + r ∘ R_n h)       reset after;   R_n [r ∘ h] before, [ ] being kept as the state is
//   lstm   i, f, o = σ(W x + R h)   g = tanh(W_g x + R_g h)
//          c' = f ∘ c + ((i · g + 2^(29−k)) >> (30 − k)), within ± clip              Q(15−k).k
//          h' = o ∘ tanh(c' as Q3.12)
//
//   the state keeps  clamp(rne(f32(h' · f32(2^-15 / s_h))) + z_h), and h is  rne(f32((q − z_h) · f32(s_h · 2^15)))
//   y = clamp(rne(f32(h' · f32(2^-15 / s_y))) + z_y);   a cell of int8 keeps (c' + 128) >> 8
//
// Invariant: plain and slow; depends on nothing but its arguments.

import { type Gate, gateValue } from "./gateTables.ts";
import { roundEven } from "./quantization.ts";

export type Kind = "rnn" | "gruResetAfter" | "gruResetBefore" | "lstm";

export const GATES: Readonly<Record<Kind, number>> = { rnn: 1, gruResetAfter: 3, gruResetBefore: 3, lstm: 4 };

/** Weights [outputs][inputs], the bias with the zero point folded in, and the factors to Q3.12. */
export interface GateProducts {
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  readonly multipliers: Float32Array;
}

/** How Q0.15 is stored as integers of another scale. */
export interface Storage {
  readonly scale: number;
  readonly inverse: number;
  readonly zero: number;
  readonly wide: boolean;
}

export interface Layer {
  readonly kind: Kind;
  readonly units: number;
  readonly input: GateProducts;
  readonly recurrent: GateProducts;
  readonly hidden: Storage;
  readonly y: Storage;
  readonly cell?: { readonly bits: number; readonly wide: boolean; readonly clip: number };
}

export interface LayerState {
  /** as stored */
  readonly hidden: number[];
  /** Q(15−k).k, as stored times 256 where that is int8 */
  readonly cell: number[];
}

const saturate = (x: number): number => Math.max(-32768, Math.min(32767, x));
const times = (a: number, b: number): number => saturate(Math.floor((a * b + 16384) / 32768));

/** Q0.15 → the stored integer. */
export function stored(h: number, { inverse, zero, wide }: Storage): number {
  const q = roundEven(Math.fround(h * inverse)) + zero;
  return wide ? saturate(q) : Math.max(-128, Math.min(127, q));
}

const loaded = (q: number, { scale, zero }: Storage): number => saturate(roundEven(Math.fround((q - zero) * scale)));

/** Rows `from` … `to` − 1 of weights times `x`, in Q3.12. */
function product(
  { weights, bias, multipliers }: GateProducts,
  x: ArrayLike<number>,
  from: number,
  to: number,
): number[] {
  return Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    let sum = bias[n]!;
    for (let k = 0; k < x.length; k++) sum += weights[n * x.length + k]! * x[k]!;
    return saturate(roundEven(Math.fround(Math.fround(sum) * multipliers[n]!)));
  });
}

const sum = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => saturate(x + b[i]!));
const gate = (kind: Gate, x: readonly number[]): number[] => x.map((value) => gateValue(kind, value));

/** Changes `state`; returns h' in Q0.15. */
function advance(layer: Layer, state: LayerState, x: ArrayLike<number>): number[] {
  const { kind, units, input, recurrent, hidden } = layer;
  const part = (all: readonly number[], g: number): number[] => all.slice(g * units, (g + 1) * units);
  const fromX = product(input, x, 0, GATES[kind] * units);
  if (kind === "rnn") return gate("tanh", sum(fromX, product(recurrent, state.hidden, 0, units)));
  if (kind === "lstm") {
    const all = sum(fromX, product(recurrent, state.hidden, 0, 4 * units));
    const [i, f, o] = [0, 1, 3].map((g) => gate("sigmoid", part(all, g))) as [number[], number[], number[]];
    const g = gate("tanh", part(all, 2));
    const { bits, wide, clip } = layer.cell!;
    return o.map((open, u) => {
      const added = Math.floor((i[u]! * g[u]! + 2 ** (29 - bits)) / 2 ** (30 - bits));
      const sum = saturate(times(f[u]!, state.cell[u]!) + saturate(added));
      const c = Math.max(-clip, Math.min(clip, sum));
      state.cell[u] = wide ? c : Math.min(127, (c + 128) >> 8) * 256;
      const up = bits <= 12 ? c * 2 ** (12 - bits) : (c + 2 ** (bits - 13)) >> (bits - 12);
      return times(open, gateValue("tanh", saturate(up)));
    });
  }
  const h = state.hidden.map((q) => loaded(q, hidden));
  const fromH = product(recurrent, state.hidden, 0, (kind === "gruResetAfter" ? 3 : 2) * units);
  const z = gate("sigmoid", sum(part(fromX, 0), part(fromH, 0)));
  const r = gate("sigmoid", sum(part(fromX, 1), part(fromH, 1)));
  const reset =
    kind === "gruResetAfter"
      ? part(fromH, 2).map((value, u) => times(r[u]!, value))
      : product(
          recurrent,
          h.map((value, u) => stored(times(r[u]!, value), hidden)),
          2 * units,
          3 * units,
        );
  const n = gate("tanh", sum(part(fromX, 2), reset));
  return n.map((fresh, u) => saturate(times(z[u]!, h[u]!) + times(32767 - z[u]!, fresh)));
}

/** One time step: changes `state`, returns y as stored. */
export function recurrentStep(layer: Layer, state: LayerState, x: ArrayLike<number>): number[] {
  const h = advance(layer, state, x);
  for (const [u, value] of h.entries()) state.hidden[u] = stored(value, layer.hidden);
  return h.map((value) => stored(value, layer.y));
}
