// spectrum: samples → frames of log mel bands or MFCC, in float64 by IEEE operations only; tools/ops/spectrum.ts is the
// same arithmetic, line for line.
//
//   frame t:  v[i] = (x[t·Hop + i] − PreEmphasis · x[t·Hop + i − 1]) / peak · window[i], zeros up to FftLength
//             |FFT(v)|² or |FFT(v)| · PowerScale → bands → LogScale · ln(band + Floor) → matrix? → clip(y · Scale + Offset)
//
//   params, float32:  ├ window ┼ cos, sin of 2πk/FftLength, k < FftLength/2 ┼ first bin, bins (u32) of each band ┼ weights ┼ matrix ┤
//   scratch, float64: ├ FftLength/2 complex numbers ┼ bands ┤
//
// The transform of 2M real values is one of M complex ones, even values real and odd ones imaginary (Cooley & Tukey's
// radix 2, decimated in time), whose halves are then taken apart.
// Invariant: a band's bins lie in 0 … FftLength/2, so whatever the samples are only the scratch is written.

import { Status, Step } from "../abi";
import { Spectrum, SpectrumFlag, SpectrumKernel } from "../abi/sequences";
import { address, allWithin, canRead, canWrite, extent, field, fieldF32, hasParams } from "../memory";
import { log } from "../numeric/floatMath";

const MAX_SAMPLES = 1 << 26;
const MAX_FFT = 1 << 14;

export function checkSpectrum(step: usize): i32 {
  const kernel = field(step, Step.Kernel);
  if (kernel != SpectrumKernel.Float32 && kernel != SpectrumKernel.Int16) return Status.Kernel;
  const fft = field(step, Spectrum.FftLength),
    window = field(step, Spectrum.WindowLength),
    bands = field(step, Spectrum.Bands),
    outputs = field(step, Spectrum.Outputs),
    weights = field(step, Spectrum.Weights),
    flags = field(step, Spectrum.Flags);
  if (!allWithin(step, Spectrum.Samples, Spectrum.Hop, 1, MAX_SAMPLES)) return Status.Shape;
  if (fft < 4 || fft > MAX_FFT || (fft & (fft - 1)) != 0 || window < 1 || window > fft) return Status.Shape;
  if (bands < 1 || bands > MAX_FFT || outputs < 1 || outputs > MAX_FFT || weights < 0 || weights > MAX_SAMPLES) return Status.Shape;
  const matrix = (flags & SpectrumFlag.Matrix) != 0;
  if (!matrix && outputs != bands) return Status.Shape;
  if (!allWithin(step, Spectrum.OutZero, Spectrum.OutZero, -128, 127)) return Status.Shape;
  const samples = field(step, Spectrum.Samples),
    frames = field(step, Spectrum.Frames);
  if (<i64>(frames - 1) * <i64>field(step, Spectrum.Hop) + <i64>window > <i64>samples) return Status.Shape;
  if (!canRead(step, Step.Input, extent(samples, kernel == SpectrumKernel.Int16 ? 2 : 4))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(frames, outputs))) return Status.Write;
  const head = 4 * (<u64>window + <u64>fft + 2 * <u64>bands + <u64>weights);
  if (!hasParams(step, head + (matrix ? 4 * extent(outputs, bands) : 0))) return Status.Params;
  let band = address(step, Step.Params) + 4 * <usize>(window + fft),
    used: u64 = 0;
  for (let b = 0; b < bands; b++, band += 8) {
    const end = <u64>load<u32>(band) + <u64>load<u32>(band, 4);
    if (end > <u64>(fft >> 1) + 1) return Status.Params;
    used += <u64>load<u32>(band, 4);
  }
  if (used > <u64>weights) return Status.Params;
  const scratch = 8 * (<u64>fft + <u64>bands),
    declared = field(step, Step.ScratchBytes);
  if (declared < 0 || <u64>declared < scratch || !canWrite(step, Step.Scratch, scratch)) return Status.Scratch;
  return Status.Ok;
}

// @ts-ignore: decorator
@inline
function sample(step: usize, at: i32): f64 {
  const from = address(step, Step.Input);
  if (at < 0) return 0;
  if (field(step, Step.Kernel) == SpectrumKernel.Int16) return <f64>load<i16>(from + (<usize>at << 1)) / 32768;
  return <f64>load<f32>(from + (<usize>at << 2));
}

export function runSpectrum(step: usize): void {
  const flags = field(step, Spectrum.Flags),
    fft = field(step, Spectrum.FftLength),
    half = fft >> 1,
    windowLength = field(step, Spectrum.WindowLength),
    bands = field(step, Spectrum.Bands),
    outputs = field(step, Spectrum.Outputs);
  const window = address(step, Step.Params),
    cosines = window + (<usize>windowLength << 2),
    ranges = cosines + (<usize>fft << 2),
    weights = ranges + (<usize>bands << 3),
    matrix = weights + (<usize>field(step, Spectrum.Weights) << 2);
  const z = address(step, Step.Scratch),
    mel = z + (<usize>fft << 3);
  let peak: f64 = 1;
  if (flags & SpectrumFlag.Peak) {
    peak = 0;
    for (let i = 0; i < field(step, Spectrum.Samples); i++) peak = max<f64>(peak, sample(step, i));
    // silence, and what is not a number
    if (!(peak > 0 && peak < Infinity)) peak = 1;
  }
  const emphasis = <f64>fieldF32(step, Spectrum.PreEmphasis);
  let out = address(step, Step.Output);
  for (let t = 0; t < field(step, Spectrum.Frames); t++) {
    const first = t * field(step, Spectrum.Hop);
    for (let i = 0; i < fft; i++) {
      let value: f64 = 0;
      if (i < windowLength) {
        value = (sample(step, first + i) - emphasis * sample(step, first + i - 1)) / peak;
        value *= <f64>load<f32>(window + (<usize>i << 2));
      }
      store<f64>(z + (<usize>reversed(i >> 1, half) << 4) + (<usize>(i & 1) << 3), value);
    }
    transform(z, half, cosines);
    let weight = weights;
    for (let b = 0; b < bands; b++) {
      const bin = load<i32>(ranges + (<usize>b << 3)),
        end = bin + load<i32>(ranges + (<usize>b << 3), 4);
      let sum: f64 = 0;
      for (let k = bin; k < end; k++, weight += 4) {
        let power = powerAt(z, k, half, cosines);
        if (flags & SpectrumFlag.Magnitude) power = sqrt<f64>(power);
        sum += power * <f64>fieldF32(step, Spectrum.PowerScale) * <f64>load<f32>(weight);
      }
      store<f64>(mel + (<usize>b << 3), log(sum + <f64>fieldF32(step, Spectrum.Floor)) * <f64>fieldF32(step, Spectrum.LogScale));
    }
    for (let o = 0; o < outputs; o++) {
      let value: f64 = 0;
      if (flags & SpectrumFlag.Matrix) {
        const row = matrix + (<usize>(o * bands) << 2);
        for (let b: usize = 0; b < <usize>bands; b++) value += load<f64>(mel + (b << 3)) * <f64>load<f32>(row + (b << 2));
      } else {
        value = load<f64>(mel + (<usize>o << 3));
      }
      store<i8>(out++, <i8>quantized(step, value, flags));
    }
  }
}

function quantized(step: usize, value: f64, flags: i32): i32 {
  let y = value * <f64>fieldF32(step, Spectrum.Scale) + <f64>fieldF32(step, Spectrum.Offset);
  y = max<f64>(<f64>fieldF32(step, Spectrum.Low), min<f64>(<f64>fieldF32(step, Spectrum.High), y));
  y = y / <f64>fieldF32(step, Spectrum.OutScale) + <f64>field(step, Spectrum.OutZero);
  y = flags & SpectrumFlag.Truncate ? trunc<f64>(y) : nearest<f64>(y);
  // also what is not a number
  if (!(y > -128)) return -128;
  return y < 127 ? <i32>y : 127;
}

/** The bits of i < count, a power of two, in the other order. */
function reversed(i: i32, count: i32): i32 {
  let result = 0;
  for (let bit = 1; bit < count; bit <<= 1, i >>= 1) result = (result << 1) | (i & 1);
  return result;
}

/** The transform of `count` complex numbers whose order is bit-reversed, in place. */
function transform(z: usize, count: i32, cosines: usize): void {
  const sines = cosines + (<usize>count << 2);
  for (let width = 1; width < count; width <<= 1) {
    // e^(−2πi k / (2·width)) is entry k · count / width of the table for 2·count
    const stride = <usize>(count / width);
    for (let start = 0; start < count; start += 2 * width) {
      let a = z + (<usize>start << 4),
        b = a + (<usize>width << 4);
      for (let k: usize = 0; k < <usize>width; k++, a += 16, b += 16) {
        const c = <f64>load<f32>(cosines + ((k * stride) << 2)),
          s = <f64>load<f32>(sines + ((k * stride) << 2));
        const re = load<f64>(b) * c + load<f64>(b, 8) * s,
          im = load<f64>(b, 8) * c - load<f64>(b) * s;
        const ar = load<f64>(a),
          ai = load<f64>(a, 8);
        store<f64>(a, ar + re);
        store<f64>(a, ai + im, 8);
        store<f64>(b, ar - re);
        store<f64>(b, ai - im, 8);
      }
    }
  }
}

/** |X[k]|² of the real values, 0 ≤ k ≤ half. */
function powerAt(z: usize, k: i32, half: i32, cosines: usize): f64 {
  const a = z + (<usize>(k == half ? 0 : k) << 4),
    b = z + (<usize>(k == 0 || k == half ? 0 : half - k) << 4);
  const ar = load<f64>(a),
    ai = load<f64>(a, 8),
    br = load<f64>(b),
    bi = -load<f64>(b, 8);
  // of the even values, and of the odd ones
  const er = (ar + br) * 0.5,
    ei = (ai + bi) * 0.5,
    or = (ai - bi) * 0.5,
    oi = (br - ar) * 0.5;
  let c: f64 = -1,
    s: f64 = 0;
  if (k < half) {
    c = <f64>load<f32>(cosines + (<usize>k << 2));
    s = <f64>load<f32>(cosines + (<usize>(half + k) << 2));
  }
  const re = er + (or * c + oi * s),
    im = ei + (oi * c - or * s);
  return re * re + im * im;
}
