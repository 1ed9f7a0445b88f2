// Sigmoid and tanh of a gate: from Q3.12 (−8 … 8) to Q0.15, by a table of 512 straight pieces for each.
//
//   entry i of 512:  ├ value at −8 + i/32, int16 ┼ difference to the next, int16 ┤      sigmoid's 2048 bytes, then tanh's
//   f(x) = value[i] + ((difference[i] · (x & 127) + 64) >> 7),  i = (x + 32768) >> 7
//
// Invariant: within 1 of 32768 · f(x / 4096) everywhere but where int16 saturates.

import { exponential } from "./exponential.ts";

const PIECES = 512;

export type Gate = "sigmoid" | "tanh";

const real: Readonly<Record<Gate, (x: number) => number>> = {
  sigmoid: (x) => 1 / (1 + exponential(-x)),
  tanh: (x) => (x === 0 ? 0 : 1 - 2 / (exponential(2 * x) + 1)),
};

const at = (gate: Gate, i: number): number =>
  Math.max(-32768, Math.min(32767, Math.round(real[gate](i / 32 - 8) * 32768)));

function makeTable(gate: Gate): Int16Array {
  const table = new Int16Array(2 * PIECES);
  for (let i = 0; i < PIECES; i++) {
    table[2 * i] = at(gate, i);
    table[2 * i + 1] = at(gate, i + 1) - at(gate, i);
  }
  return table;
}

const TABLES: Readonly<Record<Gate, Int16Array>> = { sigmoid: makeTable("sigmoid"), tanh: makeTable("tanh") };

/** What the core reads: both tables. */
export function gateTables(): Uint8Array {
  const bytes = new Uint8Array(PIECES * 8);
  const view = new DataView(bytes.buffer);
  for (const [k, gate] of (["sigmoid", "tanh"] as const).entries()) {
    for (const [i, value] of TABLES[gate].entries()) view.setInt16(k * PIECES * 4 + i * 2, value, true);
  }
  return bytes;
}

/** x in Q3.12, −32768 … 32767. */
export function gateValue(gate: Gate, x: number): number {
  const i = (x + 32768) >> 7;
  return TABLES[gate][2 * i]! + ((TABLES[gate][2 * i + 1]! * (x & 127) + 64) >> 7);
}
