// LSTM through time (gates i, f, g, o as in PyTorch). Invariant: as in gru.ts; c[0] is the first cell state.
//
//   gates [T, B, 4H]: x·Wxᵀ + bx at first; each step adds h·Whᵀ + bh and puts i, f, g, o there
//   c' = f·c + i·g      h' = o·tanh(c')
import { logistic4, tanh4 } from "./exponential";
import { gemmPacked, packB } from "./gemm";
import { add } from "./elementwise";
import { four, put } from "./quad";

// @ts-ignore: decorator
@inline
function step(j: usize, bytes: usize, whole: bool, gates: usize, c: usize, nextC: usize, nextH: usize): void {
  const i = logistic4(four(gates + j, whole));
  const f = logistic4(four(gates + bytes + j, whole));
  const g = tanh4(four(gates + 2 * bytes + j, whole));
  const o = logistic4(four(gates + 3 * bytes + j, whole));
  put(gates + j, i, whole);
  put(gates + bytes + j, f, whole);
  put(gates + 2 * bytes + j, g, whole);
  put(gates + 3 * bytes + j, o, whole);
  const cell = f32x4.add(f32x4.mul(f, four(c + j, whole)), f32x4.mul(i, g));
  put(nextC + j, cell, whole);
  put(nextH + j, f32x4.mul(o, tanh4(cell)), whole);
}

/** h and c: [T + 1, B, H]; `packed`: room for the packed Wh (H × 4H, columns rounded up to 8). */
export function lstm(
  gates: usize, wh: usize, bh: usize, h: usize, c: usize, packed: usize, steps: i32, batch: i32, hidden: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  const whole = bytes & ~15;
  packB(hidden, 4 * hidden, wh, hidden, 1, packed);
  for (let t = 0; t < steps; t++) {
    add(gates, bh, gates, batch, 4 * hidden);
    gemmPacked(batch, 4 * hidden, hidden, h, hidden, packed, gates, 4 * hidden, 1);
    const block = <usize>batch * bytes;
    for (let b = 0; b < batch; b++) {
      let j: usize = 0;
      for (; j < whole; j += 16) step(j, bytes, true, gates, c, c + block, h + block);
      for (; j < bytes; j += 4) step(j, bytes, false, gates, c, c + block, h + block);
      gates += 4 * bytes;
      h += bytes;
      c += bytes;
    }
  }
}

// @ts-ignore: decorator
@inline
function stepBack(
  j: usize, bytes: usize, whole: bool, gates: usize, c: usize, nextC: usize, dh: usize, dc: usize, dy: usize, dgates: usize,
): void {
  const one = f32x4.splat(1);
  const i = four(gates + j, whole), f = four(gates + bytes + j, whole);
  const g = four(gates + 2 * bytes + j, whole), o = four(gates + 3 * bytes + j, whole);
  const t = tanh4(four(nextC + j, whole));
  let d = four(dh + j, whole);
  if (dy) d = f32x4.add(d, four(dy + j, whole));
  const dcell = f32x4.add(four(dc + j, whole), f32x4.mul(f32x4.mul(d, o), f32x4.sub(one, f32x4.mul(t, t))));
  put(dgates + j, f32x4.mul(f32x4.mul(dcell, g), f32x4.mul(i, f32x4.sub(one, i))), whole);
  put(dgates + bytes + j, f32x4.mul(f32x4.mul(dcell, four(c + j, whole)), f32x4.mul(f, f32x4.sub(one, f))), whole);
  put(dgates + 2 * bytes + j, f32x4.mul(f32x4.mul(dcell, i), f32x4.sub(one, f32x4.mul(g, g))), whole);
  put(dgates + 3 * bytes + j, f32x4.mul(f32x4.mul(d, t), f32x4.mul(o, f32x4.sub(one, o))), whole);
  put(dc + j, f32x4.mul(dcell, f), whole);
}

/** As gruBackward; dc [B, H] starts as zeros; dgates [T, B, 4H]. */
export function lstmBackward(
  wh: usize, c: usize, gates: usize, dh: usize, dc: usize, dy: usize, dgates: usize, packed: usize,
  steps: i32, batch: i32, hidden: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  const whole = bytes & ~15;
  const block = <usize>batch * bytes;
  packB(4 * hidden, hidden, wh, hidden, 0, packed);
  for (let t = steps - 1; t >= 0; t--) {
    const row = <usize>t * block;
    for (let b: usize = 0; b < block; b += bytes) {
      const at = row + b;
      const y = dy ? dy + at : 0;
      let j: usize = 0;
      for (; j < whole; j += 16) stepBack(j, bytes, true, gates + 4 * at, c + at, c + at + block, dh + b, dc + b, y, dgates + 4 * at);
      for (; j < bytes; j += 4) stepBack(j, bytes, false, gates + 4 * at, c + at, c + at + block, dh + b, dc + b, y, dgates + 4 * at);
    }
    gemmPacked(batch, hidden, 4 * hidden, dgates + 4 * row, 4 * hidden, packed, dh, hidden, 0);
  }
}
