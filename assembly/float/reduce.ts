// Sums and means. Invariant: the order of every sum is fixed by the shape alone; sums over rows go in blocks
// of 128 whose totals are added, which keeps float32 errors of tens of thousands of rows small.

const BLOCK: i32 = 128;

/** y[i] = Σ x[r, i] over rows, or Σ x[r, i]·w[r, i] where `w` is not 0. */
export function sumRows(x: usize, w: usize, y: usize, rows: i32, n: i32): void {
  const step = (<usize>n) << 2;
  for (let i = 0; i + 4 <= n; i += 4) {
    let total = f32x4.splat(0);
    for (let r = 0; r < rows; r += BLOCK) {
      let sum = f32x4.splat(0);
      const last = min(rows, r + BLOCK);
      let at = (<usize>r) * step + ((<usize>i) << 2);
      for (let row = r; row < last; row++, at += step) {
        const value = v128.load(x + at);
        sum = f32x4.add(sum, w ? f32x4.mul(value, v128.load(w + at)) : value);
      }
      total = f32x4.add(total, sum);
    }
    v128.store(y + ((<usize>i) << 2), total);
  }
  for (let i = n & ~3; i < n; i++) {
    let total: f32 = 0;
    for (let r = 0; r < rows; r += BLOCK) {
      let sum: f32 = 0;
      const last = min(rows, r + BLOCK);
      let at = (<usize>r) * step + ((<usize>i) << 2);
      for (let row = r; row < last; row++, at += step) {
        const value = load<f32>(x + at);
        sum += w ? value * load<f32>(w + at) : value;
      }
      total += sum;
    }
    store<f32>(y + ((<usize>i) << 2), total);
  }
}

/** y[o, i] = mean over the middle axis of x [outer, reduce, inner]. */
export function mean(x: usize, y: usize, outer: i32, reduce: i32, inner: i32): void {
  const factor = <f32>1 / <f32>reduce;
  const rows = (<usize>inner) << 2;
  for (let o = 0; o < outer; o++) {
    sumRows(x, 0, y, reduce, inner);
    for (let i: usize = 0; i < rows; i += 4) store<f32>(y + i, load<f32>(y + i) * factor);
    x += (<usize>reduce) * rows;
    y += rows;
  }
}

export function meanBackward(dy: usize, dx: usize, outer: i32, reduce: i32, inner: i32): void {
  const factor = <f32>1 / <f32>reduce;
  const bytes = (<usize>inner) << 2;
  for (let o = 0; o < outer; o++, dy += bytes) {
    for (let r = 0; r < reduce; r++, dx += bytes) {
      for (let i: usize = 0; i < bytes; i += 4) store<f32>(dx + i, load<f32>(dy + i) * factor);
    }
  }
}

/** Σ x² in float64. */
export function sumSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  const whole = x + ((<usize>(n & ~3)) << 2);
  for (; x < whole; x += 16) {
    const v = v128.load(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1) + f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1);
  const end = x + ((<usize>(n & 3)) << 2);
  for (; x < end; x += 4) sum += <f64>load<f32>(x) * <f64>load<f32>(x);
  return sum;
}

/**
 * Shrinks x so that √Σx² is at most `most` (none at all where that is 0), and writes √Σx² as it was to `norm`:
 * NaN or infinite where any element is.
 */
export function clipNorm(x: usize, n: i32, norm: usize, most: f32): void {
  const length = sqrt(sumSquares(x, n));
  store<f32>(norm, <f32>length);
  if (most > 0 && length > <f64>most) {
    const factor = <f32>(<f64>most / (length + 1e-6));
    for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(x + i, load<f32>(x + i) * factor);
  }
}
