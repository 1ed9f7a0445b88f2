// L-BFGS (Nocedal, 1980; two-loop recursion) for small nets on the whole training set at once: curvature from the
// last few steps. Invariant: all arithmetic in float64; the state is plain data, so a checkpoint can hold it.

export interface LbfgsState {
  readonly steps: number[][];
  readonly changes: number[][];
}

export interface Evaluation {
  readonly loss: number;
  readonly gradient: Float64Array;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** −H·gradient, with H from the last steps. */
function direction(gradient: Float64Array, { steps, changes }: LbfgsState): Float64Array {
  const d = gradient.map((g) => -g);
  const weights: number[] = [];
  for (let k = steps.length - 1; k >= 0; k--) {
    const weight = dot(steps[k]!, d) / dot(steps[k]!, changes[k]!);
    weights[k] = weight;
    d.forEach((_, i) => {
      d[i]! -= weight * changes[k]![i]!;
    });
  }
  const last = steps.length - 1;
  if (last >= 0) {
    const scale = dot(steps[last]!, changes[last]!) / dot(changes[last]!, changes[last]!);
    d.forEach((value, i) => {
      d[i] = value * scale;
    });
  }
  for (let k = 0; k < steps.length; k++) {
    const share = weights[k]! - dot(changes[k]!, d) / dot(steps[k]!, changes[k]!);
    d.forEach((_, i) => {
      d[i]! += share * steps[k]![i]!;
    });
  }
  return d;
}

/**
 * One iteration from `x`: a backtracking search along the direction until the loss falls as Armijo asks.
 * `evaluate` is called at least once; returns where it ended. `rate` scales the very first step, whose curvature is unknown.
 */
export function lbfgsStep(
  x: Float64Array,
  at: Evaluation,
  evaluate: (x: Float64Array) => Evaluation,
  state: LbfgsState,
  rate: number,
  memory = 10,
): { readonly x: Float64Array; readonly at: Evaluation; readonly moved: boolean } {
  let d = direction(at.gradient, state);
  let slope = dot(d, at.gradient);
  if (!(slope < 0)) {
    state.steps.length = 0;
    state.changes.length = 0;
    d = at.gradient.map((g) => -g);
    slope = dot(d, at.gradient);
  }
  let size = state.steps.length > 0 ? 1 : Math.min(1, rate / Math.max(1e-12, Math.sqrt(-slope)));
  for (let tries = 0; tries < 30; tries++, size /= 2) {
    const next = x.map((value, i) => value + size * d[i]!);
    const found = evaluate(next);
    if (!(found.loss <= at.loss + 1e-4 * size * slope)) continue;
    const step = Array.from(next, (value, i) => value - x[i]!);
    const change = Array.from(found.gradient, (value, i) => value - at.gradient[i]!);
    // only a step along positive curvature keeps H positive definite
    if (dot(step, change) > 1e-10 * dot(change, change)) {
      state.steps.push(step);
      state.changes.push(change);
      if (state.steps.length > memory) {
        state.steps.shift();
        state.changes.shift();
      }
    }
    return { x: next, at: found, moved: true };
  }
  return { x, at, moved: false };
}
