// Softmax over rows, and the losses. Invariant: the greatest value of a row is subtracted first, so nothing
// overflows; a row that holds NaN gives NaN; losses are means over rows, summed in float64.
import { exp4 } from "./exponential";

// @ts-ignore: decorator
@inline
function at(base: usize, i: i32): usize {
  return base + ((<usize>i) << 2);
}

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

// @ts-ignore: decorator
@inline
function greatest(x: usize, n: i32): f32 {
  let most = load<f32>(x);
  for (let i = 1; i < n; i++) most = max(most, load<f32>(at(x, i)));
  return most;
}

/** y = softmax(x) for each row of n. */
export function softmax(x: usize, y: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    const most = greatest(x, n);
    let sum: f32 = 0;
    for (let i = 0; i < n; i++) {
      const e = exp1(load<f32>(at(x, i)) - most);
      store<f32>(at(y, i), e);
      sum += e;
    }
    const share = <f32>1 / sum;
    for (let i = 0; i < n; i++) store<f32>(at(y, i), load<f32>(at(y, i)) * share);
    x = at(x, n);
    y = at(y, n);
  }
}

/** dx = y·(dy − Σ dy·y). */
export function softmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let sum: f32 = 0;
    for (let i = 0; i < n; i++) sum += load<f32>(at(y, i)) * load<f32>(at(dy, i));
    for (let i = 0; i < n; i++) store<f32>(at(dx, i), load<f32>(at(y, i)) * (load<f32>(at(dy, i)) - sum));
    y = at(y, n);
    dy = at(dy, n);
    dx = at(dx, n);
  }
}

/** Targets [rows, classes] from int32 labels: 1 − smoothing at the label, and smoothing/classes everywhere added. */
export function oneHot(labels: usize, y: usize, rows: i32, classes: i32, smoothing: f32): void {
  const rest = smoothing / <f32>classes;
  for (let r = 0; r < rows; r++) {
    const label = load<i32>(at(labels, r));
    for (let i = 0; i < classes; i++) store<f32>(at(y, i), i == label ? <f32>1 - smoothing + rest : rest);
    y = at(y, classes);
  }
}

/** loss = −mean over rows of Σ target·log softmax(logits); keeps the probabilities. */
export function crossEntropy(logits: usize, targets: usize, probabilities: usize, loss: usize, rows: i32, n: i32): void {
  softmax(logits, probabilities, rows, n);
  let total: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const most = greatest(logits, n);
    let sum: f64 = 0;
    for (let i = 0; i < n; i++) sum += <f64>exp1(load<f32>(at(logits, i)) - most);
    const logSum = <f64>most + <f64>Mathf.log(<f32>sum);
    for (let i = 0; i < n; i++) total += <f64>load<f32>(at(targets, i)) * (logSum - <f64>load<f32>(at(logits, i)));
    logits = at(logits, n);
    targets = at(targets, n);
  }
  store<f32>(loss, <f32>(total / <f64>rows));
}

/** dx = dloss/rows · (probability·Σ targets − target). */
export function crossEntropyBackward(
  probabilities: usize, targets: usize, dloss: usize, dx: usize, rows: i32, n: i32,
): void {
  const factor = load<f32>(dloss) / <f32>rows;
  for (let r = 0; r < rows; r++) {
    let sum: f32 = 0;
    for (let i = 0; i < n; i++) sum += load<f32>(at(targets, i));
    for (let i = 0; i < n; i++) {
      store<f32>(at(dx, i), (load<f32>(at(probabilities, i)) * sum - load<f32>(at(targets, i))) * factor);
    }
    probabilities = at(probabilities, n);
    targets = at(targets, n);
    dx = at(dx, n);
  }
}

/** mean (x − t)². */
export function meanSquares(x: usize, t: usize, loss: usize, n: i32): void {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    const d = <f64>load<f32>(at(x, i)) - <f64>load<f32>(at(t, i));
    total += d * d;
  }
  store<f32>(loss, <f32>(total / <f64>n));
}

export function meanSquaresBackward(x: usize, t: usize, dloss: usize, dx: usize, n: i32): void {
  const factor = <f32>2 * load<f32>(dloss) / <f32>n;
  for (let i = 0; i < n; i++) store<f32>(at(dx, i), (load<f32>(at(x, i)) - load<f32>(at(t, i))) * factor);
}

/** mean of max(x, 0) − x·t + log(1 + exp(−|x|)): the cross-entropy of logistic(x), safe for every x. */
export function binaryCrossEntropy(x: usize, t: usize, loss: usize, n: i32): void {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    const v = load<f32>(at(x, i));
    total += <f64>(max<f32>(v, 0) - v * load<f32>(at(t, i))) + <f64>Mathf.log1p(exp1(-abs<f32>(v)));
  }
  store<f32>(loss, <f32>(total / <f64>n));
}

export function binaryCrossEntropyBackward(x: usize, t: usize, dloss: usize, dx: usize, n: i32): void {
  const factor = load<f32>(dloss) / <f32>n;
  for (let i = 0; i < n; i++) {
    const p = <f32>1 / (<f32>1 + exp1(-load<f32>(at(x, i))));
    store<f32>(at(dx, i), (p - load<f32>(at(t, i))) * factor);
  }
}
