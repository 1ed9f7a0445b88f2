// floatConv: a convolution in float32 over three spatial axes, channels last, groups of any size.
//
//   scratch: patches of up to 64 pixels of one output row, ├ pixel: tap 0 ×C/g ┼ tap 1 ×C/g … ┤, cells outside the input 0
//
// Invariant: sums run over taps, then channels, after the bias; a cell of padding adds w·0.

import { Status, Step } from "../abi";
import { FloatConv, FloatConvKernel } from "../floatAbi";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams, hasScratch } from "../memory";
import { blockBytes, gemmFloatBlocks } from "../simd/gemmFloat";
import { storeBytes16 } from "../simd/lanes";

const MOST: i32 = 1 << 24;
const PIXELS: i32 = 64;
/** More would let a small file ask for hours of padding. */
export const MOST_TAPS: i32 = 1 << 16;

/** Sizes, strides and pads of a window over three axes: of floatPool too. */
export function checkWindow3(step: usize): bool {
  if (!allWithin(step, FloatConv.Batch, FloatConv.OutC - 1, 1, MOST)) return false;
  if (!allWithin(step, FloatConv.Kernel0, FloatConv.Pad0 - 1, 1, MOST)) return false;
  return allWithin(step, FloatConv.Pad0, FloatConv.Pad0 + 2, 0, MOST);
}

export function cells3(step: usize, first: i32): u64 {
  return extent(field(step, first), field(step, first + 1), field(step, first + 2));
}

export function checkFloatConv(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel != FloatConvKernel.Groups && kernel != FloatConvKernel.Depthwise) return Status.Kernel;
  const inC = field(step, FloatConv.InC), outC = field(step, FloatConv.OutC), groups = field(step, FloatConv.Groups);
  if (!checkWindow3(step) || outC < 1 || outC > MOST || groups < 1) return Status.Shape;
  if (inC % groups != 0 || outC % groups != 0) return Status.Shape;
  const taps = cells3(step, FloatConv.Kernel0), batch = field(step, FloatConv.Batch);
  const inputs = cells3(step, FloatConv.In0), outputs = cells3(step, FloatConv.Out0);
  if (taps > <u64>MOST_TAPS || inputs > <u64>i32.MAX_VALUE || outputs > <u64>i32.MAX_VALUE) return Status.Shape;
  if (!canWrite(step, Step.Output, extent(batch, <i32>outputs, outC, 4))) return Status.Write;
  if (!canRead(step, Step.Input, extent(batch, <i32>inputs, inC, 4))) return Status.Read;
  if (kernel == FloatConvKernel.Depthwise) {
    if (groups != inC || groups != outC) return Status.Shape;
    return hasParams(step, extent(<i32>taps + 1, outC, 4)) ? Status.Ok : Status.Params;
  }
  const k = extent(<i32>taps, inC / groups);
  if (k > <u64>MOST) return Status.Shape;
  const blocks = extent((outC / groups + 7) >> 3, groups);
  if (blocks > <u64>MOST || !hasParams(step, blocks * blockBytes(<i32>k))) return Status.Params;
  return hasScratch(step, k * PIXELS * 4) ? Status.Ok : Status.Scratch;
}

export function runFloatConv(step: usize): void {
  const rows = field(step, FloatConv.Out0) * field(step, FloatConv.Out0 + 1), width = field(step, FloatConv.Out0 + 2);
  const outStep = <usize>field(step, FloatConv.OutC) << 2;
  const depthwise = field(step, Step.Kernel) == FloatConvKernel.Depthwise;
  let out = address(step, Step.Output);
  for (let batch = 0; batch < field(step, FloatConv.Batch); batch++) {
    for (let row = 0; row < rows; row++) {
      const z = row / field(step, FloatConv.Out0 + 1), y = row % field(step, FloatConv.Out0 + 1);
      if (depthwise) {
        for (let x = 0; x < width; x++, out += outStep) channels(step, batch, z, y, x, out);
        continue;
      }
      for (let x = 0; x < width; x += PIXELS) {
        const count = min(width - x, PIXELS);
        products(step, batch, z, y, x, count, out);
        out += <usize>count * outStep;
      }
    }
  }
}

/** Which input cell tap `tap` of axis `axis` reads for output `at`; outside the axis where it pads. */
// @ts-ignore: decorator
@inline
export function cellOf(step: usize, axis: i32, at: i32, tap: i32): i32 {
  return at * field(step, FloatConv.Stride0 + axis) + tap * field(step, FloatConv.Dilation0 + axis) - field(step, FloatConv.Pad0 + axis);
}

/** Address of the pixel in cell (z, y, x) of `batch`, or 0 where that is padding. */
export function pixel(step: usize, batch: i32, z: i32, y: i32, x: i32): usize {
  const d = field(step, FloatConv.In0), h = field(step, FloatConv.In0 + 1), w = field(step, FloatConv.In0 + 2);
  if (<u32>z >= <u32>d || <u32>y >= <u32>h || <u32>x >= <u32>w) return 0;
  return address(step, Step.Input) + ((<usize>(((batch * d + z) * h + y) * w + x) * <usize>field(step, FloatConv.InC)) << 2);
}

function products(step: usize, batch: i32, z: i32, y: i32, x: i32, count: i32, out: usize): void {
  const groups = field(step, FloatConv.Groups), outC = field(step, FloatConv.OutC) / groups;
  const run = <usize>(field(step, FloatConv.InC) / groups) << 2;
  const kd = field(step, FloatConv.Kernel0), kh = field(step, FloatConv.Kernel0 + 1), kw = field(step, FloatConv.Kernel0 + 2);
  const k = kd * kh * kw * <i32>(run >> 2);
  const scratch = address(step, Step.Scratch), stepA = <usize>k << 2;
  const blocks = <usize>blockBytes(k) * <usize>((outC + 7) >> 3);
  let params = address(step, Step.Params);
  for (let group = 0; group < groups; group++, params += blocks) {
    let to = scratch;
    for (let p = x; p < x + count; p++) {
      for (let tz = 0; tz < kd; tz++) {
        for (let ty = 0; ty < kh; ty++) {
          const iz = cellOf(step, 0, z, tz), iy = cellOf(step, 1, y, ty);
          for (let tx = 0; tx < kw; tx++, to += run) {
            const from = pixel(step, batch, iz, iy, cellOf(step, 2, p, tx));
            if (from) memory.copy(to, from + <usize>group * run, run);
            else memory.fill(to, 0, run);
          }
        }
      }
    }
    gemmFloatBlocks<f32>(
      scratch, stepA, count, k, params, out + (<usize>(group * outC) << 2), <usize>(groups * outC) << 2, outC,
      fieldF32(step, FloatConv.Min), fieldF32(step, FloatConv.Max),
    );
  }
}

/** One output pixel of a depthwise convolution. */
function channels(step: usize, batch: i32, z: i32, y: i32, x: i32, out: usize): void {
  const kd = field(step, FloatConv.Kernel0), kh = field(step, FloatConv.Kernel0 + 1), kw = field(step, FloatConv.Kernel0 + 2);
  const count = field(step, FloatConv.OutC), bytes = <usize>count << 2;
  const least = fieldF32(step, FloatConv.Min), most = fieldF32(step, FloatConv.Max);
  let weights = address(step, Step.Params);
  memory.copy(out, weights, bytes);
  for (let tz = 0; tz < kd; tz++) {
    for (let ty = 0; ty < kh; ty++) {
      for (let tx = 0; tx < kw; tx++) {
        weights += bytes;
        const from = pixel(step, batch, cellOf(step, 0, z, tz), cellOf(step, 1, y, ty), cellOf(step, 2, x, tx));
        if (from) accumulate(out, from, weights, count);
      }
    }
  }
  for (let c: usize = 0; c < bytes; c += 4) store<f32>(out + c, min(max(load<f32>(out + c), least), most));
}

function accumulate(out: usize, x: usize, w: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    for (; count > 0; count -= 4, out += 16, x += 16, w += 16) {
      storeBytes16(out, f32x4.add(v128.load(out), f32x4.mul(v128.load(x), v128.load(w))), count << 2);
    }
  } else {
    for (; count > 0; count--, out += 4, x += 4, w += 4) store<f32>(out, load<f32>(out) + load<f32>(x) * load<f32>(w));
  }
}
