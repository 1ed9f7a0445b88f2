// The runtime's integer rule over float32 arrays that hold whole numbers, and its straight-through gradients: what
// quantization-aware training runs forward. A code is q − zero point, so that 0 is the real 0.
// Invariant: forward, the rounding is that of assembly/numeric/requantize.ts, operation by operation in float32; sums of
// codes are exact as long as they stay below 2^24. Backward, a rounding passes its gradient on where it did not clamp, and
// scales get theirs as Esser et al., "Learned Step Size Quantization", 2020, derive them.

const TABLE_HALF: i32 = 128;

/** codes = table[clamp(rne(w / scale[c] · finer), −128, 127)]; channel c of weight i is i / inner modulo channels. */
export function weightCodes(
  w: usize, scale: usize, table: usize, codes: usize, n: i32, channels: i32, inner: i32, finer: f32,
): void {
  for (let i = 0; i < n; i++) {
    const s = load<f32>(scale + (<usize>((i / inner) % channels) << 2));
    const u = nearest<f32>((load<f32>(w + (<usize>i << 2)) / s) * finer);
    const at = <i32>min<f32>(max<f32>(u, -128), 127) + TABLE_HALF;
    store<f32>(codes + (<usize>i << 2), load<f32>(table + (<usize>at << 2)));
  }
}

/** Weights within low … high scales learn; the scale learns of those within stepLow … stepHigh. */
export function weightCodesBackward(
  w: usize, scale: usize, dCodes: usize, dw: usize, dScale: usize, n: i32, channels: i32, inner: i32,
  low: f32, high: f32, stepLow: f32, stepHigh: f32,
): void {
  memory.fill(dScale, 0, <usize>channels << 2);
  for (let i = 0; i < n; i++) {
    const c = <usize>((i / inner) % channels) << 2;
    const s = load<f32>(scale + c);
    const v = load<f32>(w + (<usize>i << 2)) / s;
    const d = load<f32>(dCodes + (<usize>i << 2)) / s;
    store<f32>(dw + (<usize>i << 2), v >= low && v <= high ? d : 0);
    if (v >= stepLow && v <= stepHigh) store<f32>(dScale + c, load<f32>(dScale + c) - d * v);
  }
}

/** A bias at the scale of its sums: rne(b / (sx · sw[c])). */
export function biasCodes(b: usize, sx: usize, sw: usize, codes: usize, channels: i32): void {
  const x = load<f32>(sx);
  for (let c = 0; c < channels; c++) {
    const at = <usize>c << 2;
    store<f32>(codes + at, nearest<f32>(load<f32>(b + at) / (x * load<f32>(sw + at))));
  }
}

export function biasCodesBackward(
  b: usize, sx: usize, sw: usize, dCodes: usize, db: usize, dsx: usize, dsw: usize, channels: i32,
): void {
  const x = load<f32>(sx);
  let dx: f32 = 0;
  for (let c = 0; c < channels; c++) {
    const at = <usize>c << 2;
    const s = load<f32>(sw + at);
    const d = load<f32>(dCodes + at) / (x * s);
    store<f32>(db + at, d);
    const along = d * load<f32>(b + at);
    dx -= along / x;
    store<f32>(dsw + at, -along / s);
  }
  store<f32>(dsx, dx);
}

// @ts-ignore: decorator
@inline
function upper(high: f32, ceiling: f32, sy: f32): f32 {
  return min<f32>(high, nearest<f32>(ceiling / sy));
}

/** y = clamp(rne(sum · f32(f32(sx · sw[c]) / sy)), low, min(high, ceiling / sy)) of rows of `channels` sums. */
export function requantizeRows(
  sums: usize, sx: usize, sw: usize, sy: usize, y: usize, rows: i32, channels: i32, low: f32, high: f32, ceiling: f32,
): void {
  const x = load<f32>(sx);
  const out = load<f32>(sy);
  const most = upper(high, ceiling, out);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++) {
      const m: f32 = (x * load<f32>(sw + (<usize>c << 2))) / out;
      store<f32>(y, min<f32>(max<f32>(nearest<f32>(load<f32>(sums) * m), low), most));
      sums += 4;
      y += 4;
    }
  }
}

/** dm: scratch of `channels`. */
export function requantizeRowsBackward(
  sums: usize, sx: usize, sw: usize, sy: usize, dy: usize, dSums: usize, dsx: usize, dsw: usize, dsy: usize, dm: usize,
  rows: i32, channels: i32, low: f32, high: f32, ceiling: f32,
): void {
  const x = load<f32>(sx);
  const out = load<f32>(sy);
  const most = upper(high, ceiling, out);
  memory.fill(dm, 0, <usize>channels << 2);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++) {
      const at = <usize>c << 2;
      const m: f32 = (x * load<f32>(sw + at)) / out;
      const sum = load<f32>(sums);
      const v = sum * m;
      let d: f32 = 0;
      if (v >= low && v <= most) {
        d = load<f32>(dy);
        store<f32>(dm + at, load<f32>(dm + at) + d * sum);
      }
      store<f32>(dSums, d * m);
      sums += 4;
      dy += 4;
      dSums += 4;
    }
  }
  let dx: f32 = 0;
  let dOut: f32 = 0;
  for (let c = 0; c < channels; c++) {
    const at = <usize>c << 2;
    const s = load<f32>(sw + at);
    const d = load<f32>(dm + at);
    dx += (d * s) / out;
    store<f32>(dsw + at, (d * x) / out);
    dOut -= (d * x * s) / (out * out);
  }
  store<f32>(dsx, dx);
  store<f32>(dsy, dOut);
}

/** The host's edge: y = clamp(rne(x / scale), low, high). */
export function quantizeReals(x: usize, scale: usize, y: usize, n: i32, low: f32, high: f32): void {
  const s = load<f32>(scale);
  for (let i = 0; i < n; i++) {
    store<f32>(y, min<f32>(max<f32>(nearest<f32>(load<f32>(x) / s), low), high));
    x += 4;
    y += 4;
  }
}
