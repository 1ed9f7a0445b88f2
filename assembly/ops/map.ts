// map: y[i] = f(x[i]), values of four bytes; what each function is, tools/ops/floatMath.ts says.
// Invariant: may run in place. float32 functions are computed in float64 and rounded once; only the cheap
// ones (clip, affine) have a vector form, which does the same operations.

import { Status, Step } from "../abi";
import { MapField, MapFn } from "../floatAbi";
import { address, canRead, canWrite, extent, field, fieldF32 } from "../memory";
import { atan, erf, exp, log, sigmoid, sine, tanh } from "../numeric/floatMath";
import { storeBytes16 } from "../simd/lanes";

export function checkMap(step: usize): i32 {
  const fn = field(step, Step.Kernel);
  if (fn < 0 || fn > MapFn.IntClip) return Status.Kernel;
  const bytes = extent(field(step, MapField.Count), 4);
  if (!canRead(step, Step.Input, bytes)) return Status.Read;
  return canWrite(step, Step.Output, bytes) ? Status.Ok : Status.Write;
}

export function runMap(step: usize): void {
  const fn = field(step, Step.Kernel);
  let x = address(step, Step.Input),
    y = address(step, Step.Output);
  let count = field(step, MapField.Count);
  const a = fieldF32(step, MapField.A),
    b = fieldF32(step, MapField.B);
  if (fn < MapFn.IsNan) {
    if (ASC_FEATURE_SIMD) {
      if (fn == MapFn.Clip || fn == MapFn.Affine) {
        const va = f32x4.splat(a),
          vb = f32x4.splat(b);
        for (; count > 0; count -= 4, x += 16, y += 16) {
          const v = v128.load(x);
          storeBytes16(y, fn == MapFn.Clip ? f32x4.min(f32x4.max(v, va), vb) : f32x4.add(f32x4.mul(v, va), vb), count << 2);
        }
        return;
      }
    }
    for (; count > 0; count--, x += 4, y += 4) store<f32>(y, apply(fn, load<f32>(x), a, b));
  } else {
    const ia = field(step, MapField.A),
      ib = field(step, MapField.B);
    for (; count > 0; count--, x += 4, y += 4) {
      if (fn == MapFn.FromInt) store<f32>(y, <f32>load<i32>(x));
      else store<i32>(y, toInt(fn, x, ia, ib));
    }
  }
}

function toInt(fn: i32, at: usize, a: i32, b: i32): i32 {
  const r = load<f32>(at),
    x = load<i32>(at);
  switch (fn) {
    case MapFn.IsNan:
      return <i32>(r != r);
    case MapFn.IsInf:
      return <i32>((r == Infinity && a != 1) || (r == -Infinity && a != 2));
    case MapFn.ToInt:
      // NaN is 0; past the range, the nearest that there is
      if (!(r > -2147483648.0)) return r != r ? 0 : i32.MIN_VALUE;
      return r >= 2147483648.0 ? i32.MAX_VALUE : <i32>r;
    case MapFn.IntNeg:
      return -x;
    case MapFn.IntAbs:
      return x < 0 ? -x : x;
    case MapFn.Not:
      return <i32>(x == 0);
    case MapFn.BitNot:
      return ~x;
    case MapFn.And:
      return x & a;
    case MapFn.Wrap: {
      const shift = 32 - b;
      return a ? (x << shift) >> shift : <i32>(<u32>(x << shift) >> shift);
    }
    default:
      return min(max(x, a), b);
  }
}

/** One float32 function; the recurrent layers use it too. */
export function apply(fn: i32, x: f32, a: f32, b: f32): f32 {
  const r = <f64>x;
  switch (fn) {
    case MapFn.Neg:
      return -x;
    case MapFn.Abs:
      return abs(x);
    case MapFn.Floor:
      return floor(x);
    case MapFn.Ceil:
      return ceil(x);
    case MapFn.Round:
      return nearest(x);
    case MapFn.Sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case MapFn.Sqrt:
      return x >= 0 ? sqrt(x) : f32.NaN;
    case MapFn.Reciprocal:
      return 1 / x;
    case MapFn.Exp:
      return <f32>exp(r);
    case MapFn.Log:
      return <f32>log(r);
    case MapFn.Sin:
      return <f32>sine(r, 0);
    case MapFn.Cos:
      return <f32>sine(r, 1);
    case MapFn.Tanh:
      return <f32>tanh(r);
    case MapFn.Sigmoid:
      return <f32>sigmoid(r);
    case MapFn.Erf:
      return <f32>erf(r);
    case MapFn.Gelu:
      return <f32>(0.5 * r * (1 + erf(r * 0.7071067811865476)));
    case MapFn.GeluTanh:
      return <f32>(0.5 * r * (1 + tanh(0.7978845608028654 * (r + 0.044715 * r * r * r))));
    case MapFn.LeakyRelu:
      return x < 0 ? a * x : x;
    case MapFn.Elu:
      return x > 0 ? b * x : <f32>(<f64>b * <f64>a * (exp(r) - 1));
    case MapFn.Softplus:
      return <f32>((r > 0 ? r : 0) + log(1 + exp(r > 0 ? -r : r)));
    case MapFn.HardSigmoid:
      return max<f32>(0, min<f32>(1, a * x + b));
    case MapFn.HardSwish:
      return x * max<f32>(0, min<f32>(1, a * x + b));
    case MapFn.Clip:
      return min(max(x, a), b);
    case MapFn.Affine:
      return x * a + b;
    case MapFn.ThresholdedRelu:
      return x > a ? x : 0;
    case MapFn.Silu:
      return <f32>(r * sigmoid(<f64>a * r));
    case MapFn.Atan:
      return <f32>atan(r);
    default:
      return x;
  }
}
