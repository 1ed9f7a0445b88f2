// zip: out = f(a, b) over a broadcast of four axes, values of four bytes; codes past Int read int32.
// Invariant: as in binary.ts the packer has merged the axes, and the innermost stride is 1 or 0. The vector
// form does the same IEEE operations as the scalar one.

import { Binary, Status, Step } from "../abi";
import { ZipFn } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";
import { power } from "../numeric/floatMath";
import { words } from "../simd/gemmFloat";
import { storeBytes16 } from "../simd/lanes";

export function checkZip(step: usize): i32 {
  const fn = field(step, Step.Kernel);
  if (fn < 0 || fn > ZipFn.IntShiftRight) return Status.Kernel;
  if (!allWithin(step, Binary.Dim0, Binary.Dim3, 1, 1 << 28)) return Status.Shape;
  if (!allWithin(step, Binary.AStride0, Binary.BStride3, 0, 1 << 28)) return Status.Shape;
  if (field(step, Binary.AStride3) > 1 || field(step, Binary.BStride3) > 1) return Status.Shape;
  const count = extent(field(step, 8), field(step, 9), field(step, 10), field(step, 11));
  if (!canWrite(step, Step.Output, words(count))) return Status.Write;
  if (!canRead(step, Step.Input, reach(step, Binary.AStride0))) return Status.Read;
  return canRead(step, Step.Input2, reach(step, Binary.BStride0)) ? Status.Ok : Status.Read;
}

/** Bytes from an input's first value to the end of its last. */
function reach(step: usize, strides: i32): u64 {
  let last: u64 = 1;
  for (let axis = 0; axis < 4; axis++) {
    last += <u64>(field(step, Binary.Dim0 + axis) - 1) * <u64>field(step, strides + axis);
  }
  return words(last);
}

export function runZip(step: usize): void {
  const fn = field(step, Step.Kernel);
  const d0 = field(step, 8), d1 = field(step, 9), d2 = field(step, 10), count = field(step, 11);
  const a = address(step, Step.Input), b = address(step, Step.Input2);
  const stepA = <usize>field(step, Binary.AStride3) << 2, stepB = <usize>field(step, Binary.BStride3) << 2;
  let out = address(step, Step.Output);
  for (let i = 0; i < d0; i++) {
    for (let j = 0; j < d1; j++) {
      for (let k = 0; k < d2; k++) {
        row(fn, a + offset(step, Binary.AStride0, i, j, k), b + offset(step, Binary.BStride0, i, j, k), stepA, stepB, out, count);
        out += <usize>count << 2;
      }
    }
  }
}

function offset(step: usize, strides: i32, i: i32, j: i32, k: i32): usize {
  return (
    (<usize>i * <usize>field(step, strides) + <usize>j * <usize>field(step, strides + 1) + <usize>k * <usize>field(step, strides + 2)) << 2
  );
}

function row(fn: i32, a: usize, b: usize, stepA: usize, stepB: usize, out: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    if (fn <= ZipFn.Max) {
      stepA <<= 2;
      stepB <<= 2;
      for (; count > 0; count -= 4, a += stepA, b += stepB, out += 16) {
        const x = stepA ? v128.load(a) : v128.load32_splat(a), y = stepB ? v128.load(b) : v128.load32_splat(b);
        storeBytes16(out, apply4(fn, x, y), count << 2);
      }
      return;
    }
  }
  for (; count > 0; count--, a += stepA, b += stepB, out += 4) {
    if (fn == ZipFn.Choose) {
      if (load<i32>(a)) store<i32>(out, load<i32>(b));
    } else if (fn >= ZipFn.Int) store<i32>(out, ofInts(fn, load<i32>(a), load<i32>(b)));
    else if (fn >= ZipFn.Equal) store<i32>(out, compare<f32>(fn, load<f32>(a), load<f32>(b)));
    else store<f32>(out, ofFloats(fn, load<f32>(a), load<f32>(b)));
  }
}

function apply4(fn: i32, x: v128, y: v128): v128 {
  switch (fn) {
    case ZipFn.Add:
      return f32x4.add(x, y);
    case ZipFn.Sub:
      return f32x4.sub(x, y);
    case ZipFn.Mul:
      return f32x4.mul(x, y);
    case ZipFn.Div:
      return f32x4.div(x, y);
    case ZipFn.Min:
      return f32x4.min(x, y);
    default:
      return f32x4.max(x, y);
  }
}

function ofFloats(fn: i32, x: f32, y: f32): f32 {
  switch (fn) {
    case ZipFn.Add:
      return x + y;
    case ZipFn.Sub:
      return x - y;
    case ZipFn.Mul:
      return x * y;
    case ZipFn.Div:
      return x / y;
    case ZipFn.Min:
      return min(x, y);
    case ZipFn.Max:
      return max(x, y);
    case ZipFn.Pow:
      return <f32>power(x, y);
    case ZipFn.Mod:
      return <f32>(<f64>x - Math.floor(<f64>x / <f64>y) * <f64>y);
    case ZipFn.Fmod:
      return <f32>(<f64>x - Math.trunc(<f64>x / <f64>y) * <f64>y);
    default:
      return x < 0 ? x * y : x;
  }
}

function compare<T>(fn: i32, x: T, y: T): i32 {
  return <i32>(fn == ZipFn.Equal ? x == y : fn == ZipFn.Less ? x < y : x <= y);
}

/** Division by 0 is 0; i32.MIN_VALUE / −1 wraps. */
function quotient(x: i32, y: i32): i32 {
  return y == 0 ? 0 : y == -1 ? -x : x / y;
}

function ofInts(fn: i32, x: i32, y: i32): i32 {
  switch (fn - ZipFn.Int) {
    case ZipFn.Add:
      return x + y;
    case ZipFn.Sub:
      return x - y;
    case ZipFn.Mul:
      return x * y;
    case ZipFn.Div:
      return quotient(x, y);
    case ZipFn.Min:
      return min(x, y);
    case ZipFn.Max:
      return max(x, y);
    case ZipFn.Pow: {
      let p = 1;
      for (let i = 0; i < y && i < 64; i++) p *= x;
      return p;
    }
    case ZipFn.Mod: {
      const r = x - quotient(x, y) * y;
      return r != 0 && (r ^ y) < 0 ? r + y : r;
    }
    case ZipFn.Fmod:
      return x - quotient(x, y) * y;
    case ZipFn.Prelu:
      return x < 0 ? x * y : x;
    case ZipFn.IntAnd - ZipFn.Int:
      return x & y;
    case ZipFn.IntOr - ZipFn.Int:
      return x | y;
    case ZipFn.IntXor - ZipFn.Int:
      return x ^ y;
    case ZipFn.IntShiftLeft - ZipFn.Int:
      return x << y;
    case ZipFn.IntShiftRight - ZipFn.Int:
      return <i32>(<u32>x >> y);
    default:
      return compare<i32>(fn - ZipFn.Int, x, y);
  }
}
