// spectrum: samples → frames of log mel bands or MFCC, in float64 by IEEE operations only: what assembly/ops/spectrum.ts
// computes, line for line, and draws. Tables (window, sines, bands, matrix) are float32, made here.
// Invariant: no host function after the tables are made; those are rounded to float32 from double.

import { Spectrum as Field, SpectrumFlag, SpectrumKernel } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { type Attributes, elementCount, type Node, type Tensor } from "../graph/graph.ts";
import { log, sine } from "./floatMath.ts";
import type { Operator } from "./operator.ts";
import { perTensor, roundEven } from "./quantization.ts";
import { present, requireDType } from "./window.ts";

type Settings = Attributes["spectrum"];

const sin = (x: number): number => sine(x, 0);
const cos = (x: number): number => sine(x, 1);

interface Tables {
  readonly window: Float32Array;
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
  readonly bands: readonly { readonly first: number; readonly weights: Float32Array }[];
  /** rows of one weight a band; empty for log mel */
  readonly matrix: readonly Float32Array[];
}

/** HTK's mel scale. */
const melOf = (hertz: number): number => 1127 * log(1 + hertz / 700);

function bandsOf({ fftLength, sampleRate, bands, lowest, highest }: Settings): Tables["bands"] {
  const [from, to] = [melOf(lowest), melOf(highest)];
  const edge = (i: number): number => from + ((to - from) * i) / (bands + 1);
  const mels = Array.from({ length: fftLength / 2 + 1 }, (_, k) => melOf((k * sampleRate) / fftLength));
  return Array.from({ length: bands }, (_, b) => {
    const [low, centre, high] = [edge(b), edge(b + 1), edge(b + 2)];
    const weights = mels.map((mel, k) =>
      k === 0 ? 0 : Math.max(0, Math.min((mel - low) / (centre - low), (high - mel) / (high - centre))),
    );
    const first = weights.findIndex((weight) => weight > 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    return first < 0
      ? { first: 0, weights: new Float32Array() }
      : { first, weights: Float32Array.from(weights.slice(first, last + 1)) };
  });
}

const tablesMade = new WeakMap<Settings, Tables>();

function tablesOf(attrs: Settings): Tables {
  const made = tablesMade.get(attrs);
  if (made) return made;
  const { window, windowLength, fftLength, bands, coefficients } = attrs;
  const half = fftLength / 2;
  const angle = (k: number): number => (2 * Math.PI * k) / fftLength;
  const of = (n: number, value: (i: number) => number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => value(i));
  const tables: Tables = {
    window: of(windowLength, (i) =>
      window === "hann"
        ? 0.5 - 0.5 * cos((2 * Math.PI * i) / windowLength)
        : 0.54 - 0.46 * cos((2 * Math.PI * i) / (windowLength - 1)),
    ),
    cosines: of(half, (k) => cos(angle(k))),
    sines: of(half, (k) => sin(angle(k))),
    bands: bandsOf(attrs),
    // DCT-II, orthogonal but for its first row
    matrix: Array.from({ length: coefficients }, (_, o) =>
      of(bands, (b) => (2 * cos((Math.PI * o * (2 * b + 1)) / (2 * bands))) / Math.sqrt(2 * bands)),
    ),
  };
  tablesMade.set(attrs, tables);
  return tables;
}

function bytesOf({ window, cosines, sines, bands, matrix }: Tables): Uint8Array {
  const ranges = Uint32Array.from(bands.flatMap(({ first, weights }) => [first, weights.length]));
  const parts = [window, cosines, sines, ranges, ...bands.map(({ weights }) => weights), ...matrix];
  return Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}

const framesOf = ({ windowLength, hop }: Settings, samples: number): number =>
  Math.floor((samples - windowLength) / hop) + 1;
const outputsOf = ({ bands, coefficients }: Settings): number => coefficients || bands;

/** The transform of complex numbers [re, im, …] whose order is bit-reversed, in place. */
function transform(z: Float64Array, { cosines, sines }: Tables): void {
  const count = z.length / 2;
  for (let width = 1; width < count; width *= 2) {
    const stride = count / width;
    for (let start = 0; start < count; start += 2 * width) {
      for (let k = 0; k < width; k++) {
        const [a, b] = [2 * (start + k), 2 * (start + k + width)];
        const [c, s] = [cosines[k * stride]!, sines[k * stride]!];
        const re = z[b]! * c + z[b + 1]! * s;
        const im = z[b + 1]! * c - z[b]! * s;
        const [ar, ai] = [z[a]!, z[a + 1]!];
        z[a] = ar + re;
        z[a + 1] = ai + im;
        z[b] = ar - re;
        z[b + 1] = ai - im;
      }
    }
  }
}

function powerAt(z: Float64Array, k: number, { cosines, sines }: Tables): number {
  const half = cosines.length;
  const [a, b] = [2 * (k % half), 2 * ((half - k) % half)];
  const [ar, ai, br, bi] = [z[a]!, z[a + 1]!, z[b]!, -z[b + 1]!];
  const [er, ei] = [(ar + br) * 0.5, (ai + bi) * 0.5];
  const [or, oi] = [(ai - bi) * 0.5, (br - ar) * 0.5];
  const [c, s] = k < half ? [cosines[k]!, sines[k]!] : [-1, 0];
  const re = er + (or * c + oi * s);
  const im = ei + (oi * c - or * s);
  return re * re + im * im;
}

function reversed(i: number, count: number): number {
  let result = 0;
  for (let bit = 1; bit < count; bit *= 2, i >>= 1) result = result * 2 + (i & 1);
  return result;
}

/** One frame's values before they are quantized. */
function frame(x: (at: number) => number, peak: number, first: number, attrs: Settings): number[] {
  const tables = tablesOf(attrs);
  const half = attrs.fftLength / 2;
  const emphasis = Math.fround(attrs.preEmphasis);
  const z = new Float64Array(2 * half);
  for (let i = 0; i < attrs.windowLength; i++) {
    const value = (x(first + i) - emphasis * x(first + i - 1)) / peak;
    z[2 * reversed(i >> 1, half) + (i & 1)] = value * tables.window[i]!;
  }
  transform(z, tables);
  const mel = tables.bands.map(({ first: bin, weights }) => {
    let sum = 0;
    for (const [k, weight] of weights.entries()) {
      const power = powerAt(z, bin + k, tables);
      sum += (attrs.magnitude ? Math.sqrt(power) : power) * Math.fround(attrs.powerScale) * weight;
    }
    return log(sum + Math.fround(attrs.floor)) * Math.fround(attrs.logScale);
  });
  if (tables.matrix.length === 0) return mel;
  return tables.matrix.map((row) => {
    let sum = 0;
    for (const [b, value] of mel.entries()) sum += value * row[b]!;
    return sum;
  });
}

function quantized(value: number, attrs: Settings, output: { scale: number; zeroPoint: number }): number {
  const { scale, offset, low, high } = attrs;
  const [lowest, highest] = [Math.fround(low), Math.fround(high)];
  const real = Math.max(lowest, Math.min(highest, value * Math.fround(scale) + Math.fround(offset)));
  const y = real / output.scale + output.zeroPoint;
  const whole = attrs.truncate ? Math.trunc(y) : roundEven(y);
  if (!(whole > -128)) return -128;
  return Math.min(127, whole);
}

function refuse(node: Node<"spectrum">, what: string): never {
  throw new ToolError("BAD_GRAPH", `${node.name}: ${what}`);
}

export const spectrum: Operator<"spectrum"> = {
  name: "spectrum",

  check(node, inputs, outputs) {
    const { windowLength, hop, fftLength, bands, coefficients, lowest, highest, sampleRate } = node.attrs;
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32", "int16"], node.name);
    requireDType(outputs[0]!, ["int8"], node.name);
    perTensor(outputs[0]!, node.name);
    const samples = elementCount(x.shape);
    const isPower = fftLength >= 4 && fftLength <= 16384 && Number.isInteger(Math.log2(fftLength));
    if (!isPower || windowLength > fftLength || windowLength < 2 || hop < 1 || samples < windowLength) {
      refuse(
        node,
        `windows of ${windowLength} every ${hop} of ${samples} samples do not fit a transform of ${fftLength}; it must be a power of two, 4 … 16384, and no shorter than the window.`,
      );
    }
    if (bands < 1 || coefficients > bands || lowest < 0 || lowest >= highest || highest > sampleRate / 2) {
      refuse(
        node,
        `${bands} bands of ${lowest} … ${highest} Hz and ${coefficients} coefficients do not fit ${sampleRate} samples a second.`,
      );
    }
    return [{ shape: [framesOf(node.attrs, samples), outputsOf(node.attrs)], dtype: "int8" }];
  },

  reference({ attrs, name }, [x], [output]) {
    const data = x!.data as Float32Array | Int16Array;
    const unit = x!.dtype === "int16" ? 32768 : 1;
    const at = (i: number): number => (i < 0 ? 0 : data[i]! / unit);
    let peak = 1;
    if (attrs.peak) {
      peak = 0;
      for (let i = 0; i < data.length; i++) peak = Math.max(peak, at(i));
      if (!(peak > 0 && peak < Infinity)) peak = 1;
    }
    const to = perTensor(output!, name);
    const frames = Array.from({ length: framesOf(attrs, data.length) }, (_, t) =>
      frame(at, peak, t * attrs.hop, attrs),
    );
    return [Int8Array.from(frames.flat(), (value) => quantized(value, attrs, to))];
  },

  lower(node, lowering) {
    const { attrs } = node;
    const x = lowering.tensor(node.inputs[0]!);
    const output: Tensor = lowering.tensor(node.outputs[0]!);
    const tables = tablesOf(attrs);
    const { scale, zeroPoint } = perTensor(output, node.name);
    const samples = elementCount(x.shape);
    const flags =
      (attrs.peak ? SpectrumFlag.Peak : 0) |
      (attrs.magnitude ? SpectrumFlag.Magnitude : 0) |
      (attrs.coefficients ? SpectrumFlag.Matrix : 0) |
      (attrs.truncate ? SpectrumFlag.Truncate : 0);
    lowering.emit({
      op: Op.Spectrum,
      kernel: x.dtype === "int16" ? SpectrumKernel.Int16 : SpectrumKernel.Float32,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(bytesOf(tables)),
      scratchBytes: 8 * (attrs.fftLength + attrs.bands),
      fields: [
        [Field.Samples, samples],
        [Field.Frames, framesOf(attrs, samples)],
        [Field.Hop, attrs.hop],
        [Field.WindowLength, attrs.windowLength],
        [Field.FftLength, attrs.fftLength],
        [Field.Bands, attrs.bands],
        [Field.Outputs, outputsOf(attrs)],
        [Field.Flags, flags],
        [Field.Weights, tables.bands.reduce((sum, { weights }) => sum + weights.length, 0)],
        [Field.OutZero, zeroPoint],
      ],
      floats: [
        [Field.PreEmphasis, attrs.preEmphasis],
        [Field.PowerScale, attrs.powerScale],
        [Field.Floor, attrs.floor],
        [Field.LogScale, attrs.logScale],
        [Field.Scale, attrs.scale],
        [Field.Offset, attrs.offset],
        [Field.Low, attrs.low],
        [Field.High, attrs.high],
        [Field.OutScale, scale],
      ],
      kernelName: `${attrs.coefficients ? "MFCC" : "log mel"}, ${attrs.windowLength}/${attrs.hop} samples, FFT of ${attrs.fftLength}, float64`,
    });
  },
};
