// What a classifier's scores are worth. Invariant: plain float64 over all samples; a class without samples has no
// recall (NaN is never returned: such entries are undefined).

/** Index of the greatest of each row's `classes` scores; of equal ones the first. */
export function predictions(scores: ArrayLike<number>, classes: number): Int32Array {
  const out = new Int32Array(scores.length / classes);
  for (let r = 0; r < out.length; r++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (scores[r * classes + c]! > scores[r * classes + best]!) best = c;
    out[r] = best;
  }
  return out;
}

export function accuracy(scores: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const found = predictions(scores, classes);
  return found.reduce((right, label, i) => right + (label === labels[i] ? 1 : 0), 0) / found.length;
}

/** Share of rows whose label is among the `k` greatest scores. */
export function topK(scores: ArrayLike<number>, labels: ArrayLike<number>, classes: number, k: number): number {
  const rows = scores.length / classes;
  let right = 0;
  for (let r = 0; r < rows; r++) {
    const own = scores[r * classes + labels[r]!]!;
    let above = 0;
    for (let c = 0; c < classes; c++) {
      const other = scores[r * classes + c]!;
      if (other > own || (other === own && c < labels[r]!)) above++;
    }
    if (above < k) right++;
  }
  return right / rows;
}

/** [label][prediction] counts. */
export function confusion(scores: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  for (const [r, found] of predictions(scores, classes).entries()) matrix[labels[r]!]![found]!++;
  return matrix;
}

/** Share of pairs (positive, negative) in which the positive scores higher, ties half: undefined without both. */
export function rocAuc(scores: ArrayLike<number>, isPositive: ArrayLike<boolean | number>): number | undefined {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) {
      if (!isPositive[order[i]!]) continue;
      positives++;
      rankSum += rank;
    }
    from = to;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

export function meanAndDeviation(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}
