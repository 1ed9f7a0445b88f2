// Batch and layer normalization. Invariant: mean and variance in two passes (Σx, then Σ(x − mean)²), variance
// divided by the count; sums in the order of reduce.ts.
import { sumRows } from "./reduce";

// @ts-ignore: decorator
@inline
function at(base: usize, i: i32): usize {
  return base + ((<usize>i) << 2);
}

/** y = x·a[c] + b[c] for every row: what batch normalization is once mean and variance are known. */
export function affineRows(x: usize, a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= n; c += 4) {
      v128.store(at(y, c), f32x4.add(f32x4.mul(v128.load(at(x, c)), v128.load(at(a, c))), v128.load(at(b, c))));
    }
    for (; c < n; c++) store<f32>(at(y, c), load<f32>(at(x, c)) * load<f32>(at(a, c)) + load<f32>(at(b, c)));
    x = at(x, n);
    y = at(y, n);
  }
}

/**
 * Over the rows of x [rows, n]: keeps x̂ = (x − mean)/√(variance + ε) in `normalized` and 1/√(variance + ε) in `inverse`,
 * y = x̂·gamma + beta, and moves the running mean and (unbiased) variance towards these by `momentum`.
 */
export function batchNorm(
  x: usize, gamma: usize, beta: usize, y: usize, normalized: usize, inverse: usize,
  runningMean: usize, runningVariance: usize, scratch: usize, rows: i32, n: i32, epsilon: f32, momentum: f32,
): void {
  const means = scratch, shifts = at(scratch, n);
  sumRows(x, 0, means, rows, n);
  const share = <f32>1 / <f32>rows;
  for (let c = 0; c < n; c++) {
    store<f32>(at(means, c), load<f32>(at(means, c)) * share);
    store<f32>(at(shifts, c), -load<f32>(at(means, c)));
    store<f32>(at(inverse, c), 1);
  }
  affineRows(x, inverse, shifts, normalized, rows, n);
  sumRows(normalized, normalized, inverse, rows, n);
  const unbiased = rows > 1 ? <f32>rows / <f32>(rows - 1) : <f32>1;
  for (let c = 0; c < n; c++) {
    const variance = load<f32>(at(inverse, c)) * share;
    const mean = load<f32>(at(runningMean, c)), spread = load<f32>(at(runningVariance, c));
    store<f32>(at(runningMean, c), mean + momentum * (load<f32>(at(means, c)) - mean));
    store<f32>(at(runningVariance, c), spread + momentum * (variance * unbiased - spread));
    store<f32>(at(inverse, c), <f32>1 / sqrt<f32>(variance + epsilon));
    store<f32>(at(shifts, c), 0);
  }
  affineRows(normalized, inverse, shifts, normalized, rows, n);
  affineRows(normalized, gamma, beta, y, rows, n);
}

/** dbeta = Σ dy, dgamma = Σ dy·x̂, dx = gamma·inverse·(dy − dbeta/rows − x̂·dgamma/rows); dx 0 leaves it out. */
export function batchNormBackward(
  normalized: usize, inverse: usize, gamma: usize, dy: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, n: i32,
): void {
  sumRows(dy, 0, dbeta, rows, n);
  sumRows(dy, normalized, dgamma, rows, n);
  if (!dx) return;
  const share = <f32>1 / <f32>rows;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < n; c++) {
      const rest = load<f32>(at(dy, c)) - (load<f32>(at(dbeta, c)) + load<f32>(at(normalized, c)) * load<f32>(at(dgamma, c))) * share;
      store<f32>(at(dx, c), load<f32>(at(gamma, c)) * load<f32>(at(inverse, c)) * rest);
    }
    dy = at(dy, n);
    dx = at(dx, n);
    normalized = at(normalized, n);
  }
}

/** With the running mean and variance: y = gamma·(x − mean)/√(variance + ε) + beta; `scratch` holds 2·n floats. */
export function batchNormInference(
  x: usize, gamma: usize, beta: usize, mean: usize, variance: usize, y: usize, scratch: usize, rows: i32, n: i32, epsilon: f32,
): void {
  const shifts = at(scratch, n);
  for (let c = 0; c < n; c++) {
    const factor = load<f32>(at(gamma, c)) / sqrt<f32>(load<f32>(at(variance, c)) + epsilon);
    store<f32>(at(scratch, c), factor);
    store<f32>(at(shifts, c), load<f32>(at(beta, c)) - load<f32>(at(mean, c)) * factor);
  }
  affineRows(x, scratch, shifts, y, rows, n);
}

/** Over each row of x [rows, n]. */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, y: usize, normalized: usize, inverse: usize, rows: i32, n: i32, epsilon: f32,
): void {
  const share = <f32>1 / <f32>n;
  for (let r = 0; r < rows; r++) {
    let sum: f32 = 0;
    for (let c = 0; c < n; c++) sum += load<f32>(at(x, c));
    const mean = sum * share;
    let squares: f32 = 0;
    for (let c = 0; c < n; c++) {
      const d = load<f32>(at(x, c)) - mean;
      squares += d * d;
    }
    const factor = <f32>1 / sqrt<f32>(squares * share + epsilon);
    store<f32>(at(inverse, r), factor);
    for (let c = 0; c < n; c++) {
      const value = (load<f32>(at(x, c)) - mean) * factor;
      store<f32>(at(normalized, c), value);
      store<f32>(at(y, c), value * load<f32>(at(gamma, c)) + load<f32>(at(beta, c)));
    }
    x = at(x, n);
    y = at(y, n);
    normalized = at(normalized, n);
  }
}

/** dx only; dbeta and dgamma are sums over rows of dy and dy·x̂ (`sumRows`). */
export function layerNormBackward(
  normalized: usize, inverse: usize, gamma: usize, dy: usize, dx: usize, rows: i32, n: i32,
): void {
  const share = <f32>1 / <f32>n;
  for (let r = 0; r < rows; r++) {
    let sum: f32 = 0, along: f32 = 0;
    for (let c = 0; c < n; c++) {
      const g = load<f32>(at(dy, c)) * load<f32>(at(gamma, c));
      sum += g;
      along += g * load<f32>(at(normalized, c));
    }
    sum *= share;
    along *= share;
    const factor = load<f32>(at(inverse, r));
    for (let c = 0; c < n; c++) {
      const g = load<f32>(at(dy, c)) * load<f32>(at(gamma, c));
      store<f32>(at(dx, c), factor * (g - sum - load<f32>(at(normalized, c)) * along));
    }
    dy = at(dy, n);
    dx = at(dx, n);
    normalized = at(normalized, n);
  }
}
