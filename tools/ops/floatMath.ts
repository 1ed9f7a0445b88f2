// Functions of real numbers in float64, by polynomials and IEEE operations only: the same arithmetic, line for
// line, as assembly/numeric/floatMath.ts, and the functions of `map` and `zip` that rest on it.
// Invariant: no Math function that an engine may approximate (exp, log, sin, pow …) is used anywhere here.

import { MapFn, ZipFn } from "../../assembly/floatAbi.ts";
import { roundEven } from "./quantization.ts";

const LN2 = Math.LN2;
const LOG2E = Math.LOG2E;
const HALF_PI = 1.5707963267948966;
const HALF_PI_LOW: number = 6.123233995736766e-17;
/** 1.5 · 2^52: adding it leaves the nearest integer in the low bits. */
const MAGIC = 6755399441055744;
const VIEW = new DataView(new ArrayBuffer(8));

/** 2ⁿ for a whole n of a normal number; NaN otherwise stays. */
function powerOfTwo(n: number): number {
  if (!(n > -1023 && n < 1024)) return Number.NaN;
  VIEW.setUint32(0, (n + 1023) << 20);
  VIEW.setUint32(4, 0);
  return VIEW.getFloat64(0);
}

/** eˣ. Past ±700 it is infinite or 0 in float32 anyway. */
export function exp(x: number): number {
  if (x > 700) x = 700;
  if (x < -700) x = -700;
  const shifted = x * LOG2E + MAGIC;
  const r = x - (shifted - MAGIC) * LN2;
  let p = 1.0 / 3628800;
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
  return p * powerOfTwo(shifted - MAGIC);
}

/** The natural logarithm of a normal number: log m = 2·artanh((m − 1)/(m + 1)) for m in 0.7 … 1.4. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Infinity) return x;
  VIEW.setFloat64(0, x);
  const high = VIEW.getUint32(0);
  let e = (high >>> 20) - 1023;
  VIEW.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let m = VIEW.getFloat64(0);
  if (m > Math.SQRT2) {
    m *= 0.5;
    e += 1;
  }
  const s = (m - 1) / (m + 1),
    q = s * s;
  let p = 1.0 / 15;
  p = p * q + 1.0 / 13;
  p = p * q + 1.0 / 11;
  p = p * q + 1.0 / 9;
  p = p * q + 1.0 / 7;
  p = p * q + 1.0 / 5;
  p = p * q + 1.0 / 3;
  p = p * q + 1;
  return e * LN2 + 2 * s * p;
}

export function tanh(x: number): number {
  const a = Math.abs(x),
    q = x * x;
  if (a < 0.02) return x * (1 - q * (1.0 / 3 - q * (2.0 / 15)));
  const e = exp(-2 * a),
    t = (1 - e) / (1 + e);
  return x < 0 ? -t : t;
}

export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** Its power series below 0.5; 1 − e^(−x²)·t·P(t) with t = 1/(1 + x/2) above, P fitted to 4e-10. */
export function erf(x: number): number {
  const a = Math.abs(x),
    q = x * x;
  if (a < 0.5) {
    let s = -1.0 / 75600;
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
  let p = 0.0560669965847;
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
export function sine(x: number, quarter: number): number {
  const shifted = x * (1 / HALF_PI) + MAGIC,
    n = shifted - MAGIC;
  const r = x - n * HALF_PI - n * HALF_PI_LOW,
    q = r * r;
  const turn = (((n + quarter) % 4) + 4) % 4;
  let p: number;
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
export function atan(x: number): number {
  const a = Math.abs(x);
  let z = a > 1 ? 1 / a : a;
  z = z / (1 + Math.sqrt(1 + z * z));
  z = z / (1 + Math.sqrt(1 + z * z));
  const q = z * z;
  let p = -1.0 / 15;
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
export function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (y === 2) return x * x;
  if (x === 0) return y > 0 ? 0 : Infinity;
  const size = exp(y * log(Math.abs(x)));
  if (x > 0) return size;
  if (y !== Math.floor(y)) return Number.NaN;
  return Math.floor(y * 0.5) * 2 === y ? size : -size;
}

const f32 = Math.fround;

/** One float32 function of `map`; a and b are its constants, float32 themselves. */
export function mapFloat(fn: MapFn, x: number, a: number, b: number): number {
  switch (fn) {
    case MapFn.Neg:
      return -x;
    case MapFn.Abs:
      return Math.abs(x);
    case MapFn.Floor:
      return Math.floor(x);
    case MapFn.Ceil:
      return Math.ceil(x);
    case MapFn.Round:
      if (!Number.isFinite(x)) return x;
      return x < 0 ? -roundEven(-x) : roundEven(x);
    case MapFn.Sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case MapFn.Sqrt:
      return x >= 0 ? f32(Math.sqrt(x)) : Number.NaN;
    case MapFn.Reciprocal:
      return f32(1 / x);
    case MapFn.Exp:
      return f32(exp(x));
    case MapFn.Log:
      return f32(log(x));
    case MapFn.Sin:
      return f32(sine(x, 0));
    case MapFn.Cos:
      return f32(sine(x, 1));
    case MapFn.Tanh:
      return f32(tanh(x));
    case MapFn.Sigmoid:
      return f32(sigmoid(x));
    case MapFn.Erf:
      return f32(erf(x));
    case MapFn.Gelu:
      return f32(0.5 * x * (1 + erf(x * Math.SQRT1_2)));
    case MapFn.GeluTanh:
      return f32(0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))));
    case MapFn.LeakyRelu:
      return x < 0 ? f32(a * x) : x;
    case MapFn.Elu:
      return x > 0 ? f32(b * x) : f32(b * a * (exp(x) - 1));
    case MapFn.Softplus:
      return f32(Math.max(x, 0) + log(1 + exp(x > 0 ? -x : x)));
    case MapFn.HardSigmoid:
      return Math.max(0, Math.min(1, f32(f32(a * x) + b)));
    case MapFn.HardSwish:
      return f32(x * Math.max(0, Math.min(1, f32(f32(a * x) + b))));
    case MapFn.Clip:
      return Math.min(Math.max(x, a), b);
    case MapFn.Affine:
      return f32(f32(x * a) + b);
    case MapFn.ThresholdedRelu:
      return x > a ? x : 0;
    case MapFn.Silu:
      return f32(x * sigmoid(a * x));
    case MapFn.Atan:
      return f32(atan(x));
    default:
      return x;
  }
}

/** The functions of `map` from float32 to int32 and from int32 to int32. */
export function mapInt(fn: MapFn, x: number, a: number, b: number): number {
  switch (fn) {
    case MapFn.IsNan:
      return Number(Number.isNaN(x));
    case MapFn.IsInf:
      return Number((x === Infinity && a !== 1) || (x === -Infinity && a !== 2));
    case MapFn.ToInt:
      return Math.trunc(Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), x))) | 0;
    case MapFn.IntNeg:
      return -x | 0;
    case MapFn.IntAbs:
      return Math.abs(x) | 0;
    case MapFn.Not:
      return Number(x === 0);
    case MapFn.BitNot:
      return ~x;
    case MapFn.And:
      return x & a;
    case MapFn.Wrap:
      return a ? (x << (32 - b)) >> (32 - b) : (x << (32 - b)) >>> (32 - b);
    case MapFn.IntClip:
      return Math.min(Math.max(x, a), b);
    default:
      return x;
  }
}

const quotient = (x: number, y: number): number => (y === 0 ? 0 : Math.trunc(x / y) | 0);

/** The functions of `zip` on float32, Choose apart. Comparisons give 0 or 1. */
export function zipFloat(fn: ZipFn, x: number, y: number): number {
  switch (fn) {
    case ZipFn.Add:
      return f32(x + y);
    case ZipFn.Sub:
      return f32(x - y);
    case ZipFn.Mul:
      return f32(x * y);
    case ZipFn.Div:
      return f32(x / y);
    case ZipFn.Min:
      return Math.min(x, y);
    case ZipFn.Max:
      return Math.max(x, y);
    case ZipFn.Pow:
      return f32(power(x, y));
    case ZipFn.Mod:
      return f32(x - Math.floor(x / y) * y);
    case ZipFn.Fmod:
      return f32(x - Math.trunc(x / y) * y);
    case ZipFn.Prelu:
      return x < 0 ? f32(x * y) : x;
    case ZipFn.Equal:
      return Number(x === y);
    case ZipFn.Less:
      return Number(x < y);
    default:
      return Number(x <= y);
  }
}

/** The same on int32; results wrap. */
export function zipInt(fn: ZipFn, x: number, y: number): number {
  switch (fn) {
    case ZipFn.Add:
      return (x + y) | 0;
    case ZipFn.Sub:
      return (x - y) | 0;
    case ZipFn.Mul:
      return Math.imul(x, y);
    case ZipFn.Div:
      return quotient(x, y);
    case ZipFn.Min:
      return Math.min(x, y);
    case ZipFn.Max:
      return Math.max(x, y);
    case ZipFn.Pow: {
      let p = 1;
      for (let i = 0; i < y && i < 64; i++) p = Math.imul(p, x);
      return p;
    }
    case ZipFn.Mod: {
      const rest = (x - Math.imul(quotient(x, y), y)) | 0;
      return rest !== 0 && (rest ^ y) < 0 ? (rest + y) | 0 : rest;
    }
    case ZipFn.Fmod:
      return (x - Math.imul(quotient(x, y), y)) | 0;
    case ZipFn.Prelu:
      return x < 0 ? Math.imul(x, y) : x;
    case ZipFn.IntAnd:
      return x & y;
    case ZipFn.IntOr:
      return x | y;
    case ZipFn.IntXor:
      return x ^ y;
    case ZipFn.IntShiftLeft:
      return x << y;
    case ZipFn.IntShiftRight:
      return (x >>> y) | 0;
    case ZipFn.Equal:
      return Number(x === y);
    case ZipFn.Less:
      return Number(x < y);
    default:
      return Number(x <= y);
  }
}
