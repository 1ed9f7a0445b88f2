// Error-compensated rounding: weights are rounded one after the other, and what each lost is made up for by those not yet
// rounded, as far as their inputs vary together. Source: Frantar et al., "GPTQ", 2023, with the order of falling diagonal and 1 % damping.
// Invariant: never a larger output error than rounding each to the nearest, which is kept where compensation does not help.

import { outputError } from "./moments.ts";

const DAMPING = 0.01;

/** What compensation needs of H, made once for all outputs that share it. */
export interface Compensation {
  readonly matrix: Float64Array;
  /** cells from the largest diagonal on */
  readonly order: Int32Array;
  /** upper triangle of the Cholesky factor of H⁻¹, in that order; row by row */
  readonly factor: Float64Array;
}

export function compensation(matrix: Float64Array, size: number): Compensation {
  const order = Int32Array.from({ length: size }, (_, i) => i).sort(
    (a, b) => matrix[b * size + b]! - matrix[a * size + a]! || a - b,
  );
  let mean = 0;
  for (let i = 0; i < size; i++) mean += matrix[i * size + i]! / size;
  const damp = DAMPING * mean || 1;
  const ordered = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) ordered[i * size + j] = matrix[order[i]! * size + order[j]!]!;
    ordered[i * size + i]! += damp;
  }
  return { matrix, order, factor: inverseFactor(ordered, size) };
}

/**
 * U with Uᵀ U = A⁻¹. Of the reversed A = L Lᵀ; reversed both ways, L⁻¹ is that U: A⁻¹ reversed is L⁻ᵀ L⁻¹.
 */
function inverseFactor(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[(n - 1 - i) * n + (n - 1 - j)]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-30)) : sum / lower[j * n + j]!;
    }
  }
  // by rows of the inverse: row i of L⁻¹ from the rows before it
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const own = i * n;
    for (let k = 0; k < i; k++) {
      const factor = lower[own + k]!;
      if (factor === 0) continue;
      for (let j = 0; j <= k; j++) inverse[own + j]! -= factor * inverse[k * n + j]!;
    }
    const pivot = lower[own + i]!;
    for (let j = 0; j < i; j++) inverse[own + j]! /= pivot;
    inverse[own + i] = 1 / pivot;
  }
  const upper = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) upper[i * n + j] = inverse[(n - 1 - i) * n + (n - 1 - j)]!;
  return upper;
}

/**
 * `round` gives the code of a cell's value, `real` the value of a cell's code. Returns the codes of the output's `weights`.
 */
export function compensated(
  weights: Float64Array,
  { matrix, order, factor }: Compensation,
  round: (value: number, cell: number) => number,
  real: (code: number, cell: number) => number,
): Int8Array {
  const size = weights.length;
  const left = Float64Array.from(order, (cell) => weights[cell]!);
  const codes = new Int8Array(size);
  for (let i = 0; i < size; i++) {
    const cell = order[i]!;
    codes[cell] = round(left[i]!, cell);
    const base = i * size;
    const lost = (left[i]! - real(codes[cell]!, cell)) / factor[base + i]!;
    if (lost === 0) continue;
    for (let j = i + 1; j < size; j++) left[j]! -= lost * factor[base + j]!;
  }
  const nearest = Int8Array.from(weights, (weight, cell) => round(weight, cell));
  const error = (chosen: Int8Array): number =>
    outputError(
      matrix,
      weights.map((weight, cell) => weight - real(chosen[cell]!, cell)),
    );
  return error(codes) <= error(nearest) ? codes : nearest;
}
