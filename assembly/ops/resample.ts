// resample: out[o, j, i] = bias[j] + Σt weight[j,t] · in[o, index[j,t], i] in float32: one axis of any linear
// resize, with weights that the packer computed.
// Invariant: params lie in the image, so the indices that `check` saw are those that run reads.

import { Status, Step } from "../abi";
import { Resample } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams } from "../memory";

export function checkResample(step: usize): i32 {
  if (field(step, Step.Kernel) != 0) return Status.Kernel;
  if (!allWithin(step, Resample.Outer, Resample.Taps, 1, 1 << 24)) return Status.Shape;
  const outer = field(step, Resample.Outer), inner = field(step, Resample.Inner);
  const outDim = field(step, Resample.OutDim), inDim = field(step, Resample.InDim), taps = field(step, Resample.Taps);
  if (!canRead(step, Step.Input, extent(outer, inDim, inner, 4))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(outer, outDim, inner, 4))) return Status.Write;
  if (!hasParams(step, extent(outDim, 2 * taps + 1, 4))) return Status.Params;
  let at = address(step, Step.Params);
  for (let j = 0; j < outDim; j++) {
    at += 4;
    for (let t = 0; t < taps; t++, at += 8) if (load<u32>(at) >= <u32>inDim) return Status.Params;
  }
  return Status.Ok;
}

export function runResample(step: usize): void {
  const outDim = field(step, Resample.OutDim), taps = field(step, Resample.Taps);
  const inner = <usize>field(step, Resample.Inner) << 2;
  let from = address(step, Step.Input), out = address(step, Step.Output);
  for (let o = field(step, Resample.Outer); o > 0; o--, from += <usize>field(step, Resample.InDim) * inner) {
    let rule = address(step, Step.Params);
    for (let j = 0; j < outDim; j++, rule += (<usize>taps << 3) + 4) {
      for (let i: usize = 0; i < inner; i += 4, out += 4) {
        let sum = load<f32>(rule), at = rule + 4;
        for (let t = 0; t < taps; t++, at += 8) sum += load<f32>(at, 4) * load<f32>(from + <usize>load<u32>(at) * inner + i);
        store<f32>(out, sum);
      }
    }
  }
}
