// Functions of one value or two, element by element, and their derivatives.
// Invariant: exactly n elements are written, the last ones by the same vector arithmetic as the rest; x and y
// may be the same place.
import { exp4, logistic4, tanh4 } from "./exponential";

const RELU: i32 = 0;
const RELU6: i32 = 1;
const LEAKY_RELU: i32 = 2;
const LOGISTIC: i32 = 3;
const TANH: i32 = 4;
const HARD_SWISH: i32 = 5;
const SCALE: i32 = 6;
const EXP: i32 = 7;

// @ts-ignore: decorator
@inline
function valueOf(kind: i32, x: v128, a: v128): v128 {
  const zero = f32x4.splat(0);
  if (kind == RELU) return f32x4.max(x, zero);
  if (kind == RELU6) return f32x4.min(f32x4.max(x, zero), f32x4.splat(6));
  if (kind == LEAKY_RELU) return v128.bitselect(f32x4.mul(x, a), x, f32x4.lt(x, zero));
  if (kind == LOGISTIC) return logistic4(x);
  if (kind == TANH) return tanh4(x);
  if (kind == SCALE) return f32x4.mul(x, a);
  if (kind == EXP) return exp4(x);
  const gate = f32x4.min(f32x4.max(f32x4.add(x, f32x4.splat(3)), zero), f32x4.splat(6));
  return f32x4.mul(f32x4.mul(x, gate), f32x4.splat(1.0 / 6.0));
}

/** f′, from what was kept: y for relu, relu6, logistic and tanh, x for the others. */
// @ts-ignore: decorator
@inline
function slopeOf(kind: i32, kept: v128, a: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(one, f32x4.gt(kept, zero));
  if (kind == RELU6) return v128.and(one, v128.and(f32x4.gt(kept, zero), f32x4.lt(kept, f32x4.splat(6))));
  if (kind == LEAKY_RELU) return v128.bitselect(a, one, f32x4.lt(kept, zero));
  if (kind == LOGISTIC) return f32x4.mul(kept, f32x4.sub(one, kept));
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(kept, kept));
  const ramp = f32x4.add(f32x4.mul(kept, f32x4.splat(1.0 / 3.0)), f32x4.splat(0.5));
  const inner = v128.and(ramp, f32x4.gt(kept, f32x4.splat(-3)));
  return v128.bitselect(one, inner, f32x4.gt(kept, f32x4.splat(3)));
}

// @ts-ignore: decorator
@inline
function map(kind: i32, x: usize, y: usize, n: i32, a: f32): void {
  const alpha = f32x4.splat(a);
  const whole = x + ((<usize>(n & ~3)) << 2);
  while (x < whole) {
    v128.store(y, valueOf(kind, v128.load(x), alpha));
    x += 16;
    y += 16;
  }
  const end = x + ((<usize>(n & 3)) << 2);
  while (x < end) {
    v128.store32_lane(y, valueOf(kind, v128.load32_zero(x), alpha), 0);
    x += 4;
    y += 4;
  }
}

/** dx = dy · f′. */
// @ts-ignore: decorator
@inline
function mapSlope(kind: i32, kept: usize, dy: usize, dx: usize, n: i32, a: f32): void {
  const alpha = f32x4.splat(a);
  const whole = kept + ((<usize>(n & ~3)) << 2);
  while (kept < whole) {
    v128.store(dx, f32x4.mul(v128.load(dy), slopeOf(kind, v128.load(kept), alpha)));
    kept += 16;
    dy += 16;
    dx += 16;
  }
  const end = kept + ((<usize>(n & 3)) << 2);
  while (kept < end) {
    v128.store32_lane(dx, f32x4.mul(v128.load32_zero(dy), slopeOf(kind, v128.load32_zero(kept), alpha)), 0);
    kept += 4;
    dy += 4;
    dx += 4;
  }
}

export function relu(x: usize, y: usize, n: i32): void { map(RELU, x, y, n, 0); }
export function relu6(x: usize, y: usize, n: i32): void { map(RELU6, x, y, n, 0); }
export function leakyRelu(x: usize, y: usize, n: i32, alpha: f32): void { map(LEAKY_RELU, x, y, n, alpha); }
export function logistic(x: usize, y: usize, n: i32): void { map(LOGISTIC, x, y, n, 0); }
export function tanh(x: usize, y: usize, n: i32): void { map(TANH, x, y, n, 0); }
export function hardSwish(x: usize, y: usize, n: i32): void { map(HARD_SWISH, x, y, n, 0); }
export function scale(x: usize, y: usize, n: i32, factor: f32): void { map(SCALE, x, y, n, factor); }
export function exp(x: usize, y: usize, n: i32): void { map(EXP, x, y, n, 0); }

export function reluBackward(y: usize, dy: usize, dx: usize, n: i32): void { mapSlope(RELU, y, dy, dx, n, 0); }
export function relu6Backward(y: usize, dy: usize, dx: usize, n: i32): void { mapSlope(RELU6, y, dy, dx, n, 0); }
export function leakyReluBackward(x: usize, dy: usize, dx: usize, n: i32, alpha: f32): void {
  mapSlope(LEAKY_RELU, x, dy, dx, n, alpha);
}
export function logisticBackward(y: usize, dy: usize, dx: usize, n: i32): void { mapSlope(LOGISTIC, y, dy, dx, n, 0); }
export function tanhBackward(y: usize, dy: usize, dx: usize, n: i32): void { mapSlope(TANH, y, dy, dx, n, 0); }
export function hardSwishBackward(x: usize, dy: usize, dx: usize, n: i32): void {
  mapSlope(HARD_SWISH, x, dy, dx, n, 0);
}

const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;

// @ts-ignore: decorator
@inline
function combine(kind: i32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b);
  if (kind == SUB) return f32x4.sub(a, b);
  return f32x4.mul(a, b);
}

/** y[r, i] = a[r, i] ∘ b[i]: b is repeated over the leading dimensions of a. */
// @ts-ignore: decorator
@inline
function rowwise(kind: i32, a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let at = b;
    const whole = b + ((<usize>(n & ~3)) << 2);
    while (at < whole) {
      v128.store(y, combine(kind, v128.load(a), v128.load(at)));
      a += 16;
      at += 16;
      y += 16;
    }
    const end = b + ((<usize>n) << 2);
    while (at < end) {
      v128.store32_lane(y, combine(kind, v128.load32_zero(a), v128.load32_zero(at)), 0);
      a += 4;
      at += 4;
      y += 4;
    }
  }
}

export function add(a: usize, b: usize, y: usize, rows: i32, n: i32): void { rowwise(ADD, a, b, y, rows, n); }
export function sub(a: usize, b: usize, y: usize, rows: i32, n: i32): void { rowwise(SUB, a, b, y, rows, n); }
export function mul(a: usize, b: usize, y: usize, rows: i32, n: i32): void { rowwise(MUL, a, b, y, rows, n); }

/** Each row of y is `row`: what a product adds itself to where there is a bias. */
export function fillRows(row: usize, y: usize, rows: i32, n: i32): void {
  const bytes = (<usize>n) << 2;
  if (n & 3) {
    for (let r = 0; r < rows; r++, y += bytes) {
      for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, load<f32>(row + i));
    }
    return;
  }
  for (let r = 0; r < rows; r++, y += bytes) {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, v128.load(row + i));
  }
}

export function fill(y: usize, n: i32, value: f32): void {
  for (let i = 0; i < n; i++, y += 4) store<f32>(y, value);
}

export function copy(x: usize, y: usize, n: i32): void {
  memory.copy(y, x, (<usize>n) << 2);
}
