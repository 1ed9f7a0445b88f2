// floatRecurrent: GRU, LSTM and simple RNN in float32, after the products with the input; abi.ts draws its tensors.
// Each sequence of the batch runs to its own length: past it the outputs are 0 and the state stays.
//
//   scratch: ├ gates × units8: products with h ┼ units: r∘h ┤      units8: Units up to a multiple of eight
//
// Invariant: sums as in simd/gemmFloat.ts; h and c live at the end of the output, where the last ones are wanted.

import { Status, Step } from "../abi";
import { FloatRecurrent, MapFn, RecurrentKernel } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams, hasScratch } from "../memory";
import { blockBytes, gemmFloatBlocks } from "../simd/gemmFloat";
import { apply } from "./map";

function gatesOf(kernel: i32): i32 {
  return kernel == RecurrentKernel.Lstm ? 4 : kernel == RecurrentKernel.Rnn ? 1 : 3;
}

export function checkFloatRecurrent(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel < 0 || kernel > RecurrentKernel.Rnn) return Status.Kernel;
  if (!allWithin(step, FloatRecurrent.Steps, FloatRecurrent.Units, 1, 1 << 20)) return Status.Shape;
  if (!allWithin(step, FloatRecurrent.GateFn, FloatRecurrent.OutputFn, 0, MapFn.IsNan - 1)) return Status.Shape;
  const steps = field(step, FloatRecurrent.Steps), batch = field(step, FloatRecurrent.Batch), units = field(step, FloatRecurrent.Units);
  const gates = gatesOf(kernel), states = kernel == RecurrentKernel.Lstm ? 2 : 1, wide = (units + 7) & -8;
  if (!canWrite(step, Step.Output, extent(steps + states, batch, units, 4))) return Status.Write;
  if (!canRead(step, Step.Input, extent(steps, batch, gates * units, 4))) return Status.Read;
  if (!canRead(step, Step.Input2, extent(states, batch, units, 4))) return Status.Read;
  const peepholes = field(step, FloatRecurrent.Peepholes) ? <u64>units * 12 : 0;
  if (!hasParams(step, (<u64>batch << 2) + <u64>(gates * wide >> 3) * blockBytes(units) + peepholes)) return Status.Params;
  for (let b = 0; b < batch; b++) {
    const length = load<i32>(address(step, Step.Params) + (<usize>b << 2));
    if (length < 0 || length > steps) return Status.Params;
  }
  return hasScratch(step, <u64>(gates * wide + units) << 2) ? Status.Ok : Status.Scratch;
}

export function runFloatRecurrent(step: usize): void {
  const kernel = field(step, Step.Kernel), gates = gatesOf(kernel);
  const steps = field(step, FloatRecurrent.Steps), batch = field(step, FloatRecurrent.Batch);
  const units = <usize>field(step, FloatRecurrent.Units) << 2, row = <usize>batch * units;
  const out = address(step, Step.Output), h = out + <usize>steps * row, c = h + row;
  memory.fill(out, 0, <usize>steps * row);
  memory.copy(h, address(step, Step.Input2), kernel == RecurrentKernel.Lstm ? row * 2 : row);
  for (let b = 0; b < batch; b++) {
    const length = load<i32>(address(step, Step.Params) + (<usize>b << 2));
    const own = <usize>b * units;
    for (let i = 0; i < length; i++) {
      const t = field(step, FloatRecurrent.Reverse) ? length - 1 - i : i;
      const x = address(step, Step.Input) + (<usize>t * <usize>batch + <usize>b) * units * <usize>gates;
      if (kernel == RecurrentKernel.Lstm) lstm(step, x, h + own, c + own);
      else gru(step, x, h + own);
      memory.copy(out + <usize>t * row + own, h + own, units);
    }
  }
}

function products(step: usize, h: usize, first: i32, count: i32): usize {
  const units = field(step, FloatRecurrent.Units), wide = (units + 7) & -8;
  const blocks = address(step, Step.Params) + (<usize>field(step, FloatRecurrent.Batch) << 2);
  const skip = <usize>(first * wide);
  const to = address(step, Step.Scratch);
  gemmFloatBlocks<f32>(h, 0, 1, units, blocks + (skip >> 3) * <usize>blockBytes(units), to + (skip << 2), 0, count * wide, -Infinity, Infinity);
  return to;
}

function gate(step: usize, word: i32, x: f32): f32 {
  return apply(field(step, word), x, fieldF32(step, FloatRecurrent.Alpha), 1);
}

function gru(step: usize, x: usize, h: usize): void {
  const kernel = field(step, Step.Kernel);
  const units = <usize>field(step, FloatRecurrent.Units) << 2, wide = (units + 31) & -32;
  if (kernel == RecurrentKernel.Rnn) {
    const p = products(step, h, 0, 1);
    for (let i: usize = 0; i < units; i += 4) store<f32>(h + i, gate(step, FloatRecurrent.CandidateFn, load<f32>(x + i) + load<f32>(p + i)));
    return;
  }
  const after = kernel == RecurrentKernel.GruResetAfter;
  const p = products(step, h, 0, after ? 3 : 2), reset = p + wide * 3;
  for (let i: usize = 0; i < units; i += 4) {
    const r = gate(step, FloatRecurrent.GateFn, load<f32>(x + units + i) + load<f32>(p + wide + i));
    store<f32>(reset + i, after ? r : r * load<f32>(h + i));
  }
  if (!after) products(step, reset, 2, 1);
  for (let i: usize = 0; i < units; i += 4) {
    const z = gate(step, FloatRecurrent.GateFn, load<f32>(x + i) + load<f32>(p + i));
    const own = load<f32>(p + wide * 2 + i);
    const n = gate(step, FloatRecurrent.CandidateFn, load<f32>(x + units * 2 + i) + (after ? load<f32>(reset + i) * own : own));
    store<f32>(h + i, (1 - z) * n + z * load<f32>(h + i));
  }
}

function lstm(step: usize, x: usize, h: usize, c: usize): void {
  const units = <usize>field(step, FloatRecurrent.Units) << 2, wide = (units + 31) & -32;
  const p = products(step, h, 0, 4), clip = fieldF32(step, FloatRecurrent.CellClip);
  const peep = field(step, FloatRecurrent.Peepholes) ? address(step, Step.Params) + (<usize>field(step, FloatRecurrent.Batch) << 2) + (wide >> 5) * 4 * <usize>blockBytes(<i32>(units >> 2)) : 0;
  for (let i: usize = 0; i < units; i += 4) {
    const before = load<f32>(c + i);
    let input = load<f32>(x + i) + load<f32>(p + i);
    let output = load<f32>(x + units + i) + load<f32>(p + wide + i);
    let forget = load<f32>(x + units * 2 + i) + load<f32>(p + wide * 2 + i);
    if (peep) {
      input += load<f32>(peep + i) * before;
      forget += load<f32>(peep + units * 2 + i) * before;
    }
    const candidate = gate(step, FloatRecurrent.CandidateFn, load<f32>(x + units * 3 + i) + load<f32>(p + wide * 3 + i));
    let cell = gate(step, FloatRecurrent.GateFn, forget) * before + gate(step, FloatRecurrent.GateFn, input) * candidate;
    if (clip > 0) cell = min<f32>(max<f32>(cell, -clip), clip);
    if (peep) output += load<f32>(peep + units + i) * cell;
    store<f32>(c + i, cell);
    store<f32>(h + i, gate(step, FloatRecurrent.GateFn, output) * gate(step, FloatRecurrent.OutputFn, cell));
  }
}
