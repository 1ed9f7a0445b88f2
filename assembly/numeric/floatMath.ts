// Functions of real numbers, in float64 by polynomials and IEEE operations only, so that every engine gives
// the same bits; tools/ops/floatMath.ts is the same arithmetic, line for line.
// Invariant: results are within 1e-9 (relative) of the true value, so their float32 is within one unit in the
// last place; no host function is called; NaN gives NaN.

const LN2: f64 = 0.6931471805599453;
const LOG2E: f64 = 1.4426950408889634;
const HALF_PI: f64 = 1.5707963267948966;
const HALF_PI_LOW: f64 = 6.123233995736766e-17;
/** 1.5 · 2^52: adding it leaves the nearest integer in the low bits. */
const MAGIC: f64 = 6755399441055744.0;

/** eˣ. Past ±700 it is infinite or 0 in float32 anyway. */
export function exp(x: f64): f64 {
  if (x > 700) x = 700;
  if (x < -700) x = -700;
  const shifted = x * LOG2E + MAGIC;
  const r = x - (shifted - MAGIC) * LN2;
  let p: f64 = 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return p * reinterpret<f64>((reinterpret<i64>(shifted) + 1023) << 52);
}

/** The natural logarithm of a normal number: log m = 2·artanh((m − 1)/(m + 1)) for m in 0.7 … 1.4. */
export function log(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  const bits = reinterpret<i64>(x);
  let e = <f64>(<i32>(bits >> 52) - 1023);
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  const s = (m - 1) / (m + 1),
    q = s * s;
  let p: f64 = 1.0 / 15;
  p = p * q + 1.0 / 13;
  p = p * q + 1.0 / 11;
  p = p * q + 1.0 / 9;
  p = p * q + 1.0 / 7;
  p = p * q + 1.0 / 5;
  p = p * q + 1.0 / 3;
  p = p * q + 1;
  return e * LN2 + 2 * s * p;
}

export function tanh(x: f64): f64 {
  const a = Math.abs(x),
    q = x * x;
  if (a < 0.02) return x * (1 - q * (1.0 / 3 - q * (2.0 / 15)));
  const e = exp(-2 * a),
    t = (1 - e) / (1 + e);
  return x < 0 ? -t : t;
}

export function sigmoid(x: f64): f64 {
  return 1 / (1 + exp(-x));
}

/** Its power series below 0.5; 1 − e^(−x²)·t·P(t) with t = 1/(1 + x/2) above, P fitted to 4e-10. */
export function erf(x: f64): f64 {
  const a = Math.abs(x),
    q = x * x;
  if (a < 0.5) {
    let s: f64 = -1.0 / 75600;
    s = s * q + 1.0 / 9360;
    s = s * q - 1.0 / 1320;
    s = s * q + 1.0 / 216;
    s = s * q - 1.0 / 42;
    s = s * q + 1.0 / 10;
    s = s * q - 1.0 / 3;
    s = s * q + 1;
    return 1.1283791670955126 * x * s;
  }
  const t = 1 / (1 + a * 0.5);
  let p: f64 = 0.0560669965847;
  p = p * t - 0.294548347599;
  p = p * t + 0.612025037707;
  p = p * t - 0.584204295622;
  p = p * t + 0.21620618825;
  p = p * t - 0.0913606511574;
  p = p * t + 0.0996440696859;
  p = p * t + 0.175302120602;
  p = p * t + 0.246641705515;
  p = p * t + 0.282137832702;
  p = p * t + 0.282092199208;
  const y = 1 - exp(-q) * t * p;
  return x < 0 ? -y : y;
}

/** sin(x + quarter · π/2), for |x| below a million. */
export function sine(x: f64, quarter: f64): f64 {
  const shifted = x * (1 / HALF_PI) + MAGIC,
    n = shifted - MAGIC;
  const r = x - n * HALF_PI - n * HALF_PI_LOW,
    q = r * r;
  const turn = <i32>(reinterpret<i64>(shifted + quarter)) & 3;
  let p: f64;
  if (turn & 1) {
    p = -1.0 / 3628800;
    p = p * q + 1.0 / 40320;
    p = p * q - 1.0 / 720;
    p = p * q + 1.0 / 24;
    p = p * q - 0.5;
    p = p * q + 1;
  } else {
    p = -1.0 / 39916800;
    p = p * q + 1.0 / 362880;
    p = p * q - 1.0 / 5040;
    p = p * q + 1.0 / 120;
    p = p * q - 1.0 / 6;
    p = p * q + 1;
    p = p * r;
  }
  return turn & 2 ? -p : p;
}

/** Halving the angle twice leaves |x| < 0.2, where the series is short. */
export function atan(x: f64): f64 {
  const a = Math.abs(x);
  let z = a > 1 ? 1 / a : a;
  z = z / (1 + Math.sqrt(1 + z * z));
  z = z / (1 + Math.sqrt(1 + z * z));
  const q = z * z;
  let p: f64 = -1.0 / 15;
  p = p * q + 1.0 / 13;
  p = p * q - 1.0 / 11;
  p = p * q + 1.0 / 9;
  p = p * q - 1.0 / 7;
  p = p * q + 1.0 / 5;
  p = p * q - 1.0 / 3;
  p = p * q + 1;
  p = 4 * z * p;
  if (a > 1) p = HALF_PI - p;
  return x < 0 ? -p : p;
}

/** xʸ; a negative x needs a whole y. */
export function power(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1;
  if (y == 2) return x * x;
  if (x == 0) return y > 0 ? 0 : Infinity;
  const size = exp(y * log(Math.abs(x)));
  if (x > 0) return size;
  if (y != Math.floor(y)) return NaN;
  return Math.floor(y * 0.5) * 2 == y ? size : -size;
}
