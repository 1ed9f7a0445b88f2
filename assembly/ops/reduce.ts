// reduce: the middle axis of [Outer, Reduce, Inner] to one value, in float64 and in the axis's order.
// Invariant: int32 values are exact in float64 up to 2^53; sums of int32 wrap when stored.

import { Status, Step } from "../abi";
import { ReduceField, ReduceFn } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field } from "../memory";
import { exp, log } from "../numeric/floatMath";

export function checkReduce(step: usize): i32 {
  const fn = field(step, Step.Kernel);
  if (fn < 0 || fn > ReduceFn.ArgMinLast) return Status.Kernel;
  if (!allWithin(step, ReduceField.Outer, ReduceField.Inner, 1, 1 << 28)) return Status.Shape;
  const outer = field(step, ReduceField.Outer), inner = field(step, ReduceField.Inner);
  if (!canRead(step, Step.Input, extent(outer, field(step, ReduceField.Reduce), inner, 4))) return Status.Read;
  return canWrite(step, Step.Output, extent(outer, inner, 4)) ? Status.Ok : Status.Write;
}

export function runReduce(step: usize): void {
  const fn = field(step, Step.Kernel), integer = field(step, ReduceField.Integer) != 0;
  const outer = field(step, ReduceField.Outer), count = field(step, ReduceField.Reduce), inner = field(step, ReduceField.Inner);
  const stride = <usize>inner << 2;
  let out = address(step, Step.Output), from = address(step, Step.Input);
  for (let o = 0; o < outer; o++, from += stride * <usize>(count - 1)) {
    for (let i = 0; i < inner; i++, from += 4, out += 4) {
      if (fn >= ReduceFn.ArgMax) {
        store<i32>(out, place(fn, from, count, stride, integer));
      } else {
        const y = reduced(fn, from, count, stride, integer);
        if (integer) store<i32>(out, <i32>(<i64>y));
        else store<f32>(out, <f32>y);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function value(at: usize, integer: bool): f64 {
  return integer ? <f64>load<i32>(at) : <f64>load<f32>(at);
}

function reduced(fn: i32, from: usize, count: i32, stride: usize, integer: bool): f64 {
  let y: f64 = fn == ReduceFn.Prod ? 1 : 0, most: f64 = 0;
  if (fn == ReduceFn.Max || fn == ReduceFn.Min) y = value(from, integer);
  if (fn == ReduceFn.LogSumExp) {
    most = -Infinity;
    let at = from;
    for (let k = 0; k < count; k++, at += stride) most = Math.max(most, value(at, integer));
    if (most == -Infinity) return most;
  }
  for (let k = 0; k < count; k++, from += stride) {
    const x = value(from, integer);
    switch (fn) {
      case ReduceFn.Max:
        y = Math.max(y, x);
        break;
      case ReduceFn.Min:
        y = Math.min(y, x);
        break;
      case ReduceFn.Prod:
        y *= x;
        break;
      case ReduceFn.SumSquare:
      case ReduceFn.Norm:
        y += x * x;
        break;
      case ReduceFn.SumAbs:
        y += Math.abs(x);
        break;
      case ReduceFn.LogSumExp:
        y += exp(x - most);
        break;
      default:
        y += x;
    }
  }
  if (fn == ReduceFn.Mean) y /= <f64>count;
  if (fn == ReduceFn.Norm) y = Math.sqrt(y);
  if (fn == ReduceFn.LogSum || fn == ReduceFn.LogSumExp) y = log(y) + most;
  // an int32 beyond float64's whole numbers has lost its low bits already
  return integer ? Math.max(-9e15, Math.min(9e15, y)) : y;
}

function place(fn: i32, from: usize, count: i32, stride: usize, integer: bool): i32 {
  const least = fn >= ReduceFn.ArgMin, last = fn == ReduceFn.ArgMaxLast || fn == ReduceFn.ArgMinLast;
  let at = 0, best = value(from, integer);
  for (let k = 1; k < count; k++) {
    from += stride;
    const x = value(from, integer);
    if ((least ? x < best : x > best) || (last && x == best)) {
      best = x;
      at = k;
    }
  }
  return at;
}
