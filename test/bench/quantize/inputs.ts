// Inputs of the four nets for calibration and for judging, made of the pictures and sounds in the shared data: crops and
// mirror images, windows of sound at other places and loudness, by a seeded generator.
// Invariant: no picture and no second of sound is on both sides.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../support/random.ts";

export interface Inputs {
  readonly calibration: Float32Array[];
  readonly held: Float32Array[];
}

const RATE = 16000;

/** Of a power of two; in place: [re, im]. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let at = 0; at < n; at += size) {
      for (let k = 0; k < size / 2; k++) {
        const [cos, sin] = [Math.cos((-2 * Math.PI * k) / size), Math.sin((-2 * Math.PI * k) / size)];
        const [i, j] = [at + k, at + k + size / 2];
        const [x, y] = [re[j]! * cos - im[j]! * sin, re[j]! * sin + im[j]! * cos];
        [re[j], im[j]] = [re[i]! - x, im[i]! - y];
        [re[i], im[i]] = [re[i]! + x, im[i]! + y];
      }
    }
  }
}

/** Magnitudes or powers of the bins 0 … n/2 of a windowed stretch. */
function spectrum(samples: Float64Array, at: number, window: number, n: number, power: number): Float64Array {
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < window; i++) {
    re[i] = (samples[at + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  }
  fft(re, im);
  return Float64Array.from({ length: n / 2 + 1 }, (_, k) => Math.hypot(re[k]!, im[k]!) ** power);
}

const mfccBands = (() => {
  const mel = (f: number): number => 1127 * Math.log(1 + f / 700);
  const edge = (i: number): number => mel(20) + ((mel(4000) - mel(20)) * i) / 41;
  return Array.from({ length: 40 }, (_, b) =>
    Float64Array.from({ length: 257 }, (_, k) => {
      const m = mel((k * RATE) / 512);
      const rise = (m - edge(b)) / (edge(b + 1) - edge(b));
      const fall = (edge(b + 2) - m) / (edge(b + 2) - edge(b + 1));
      return k === 0 ? 0 : Math.max(0, Math.min(rise, fall));
    }),
  );
})();

/** Keyword spotting: [49, 10] of a second of sound, relative to its peak. */
function mfcc(second: Float64Array): Float32Array {
  const peak = second.reduce((most, sample) => Math.max(most, sample), 1e-9);
  const scaled = second.map((sample) => sample / peak);
  const result = new Float32Array(490);
  for (let frame = 0; frame < 49; frame++) {
    const bins = spectrum(scaled, frame * 320, 480, 512, 1);
    const logs = mfccBands.map((band) => Math.log(band.reduce((sum, weight, k) => sum + weight * bins[k]!, 0) + 1e-6));
    for (let c = 0; c < 10; c++) {
      const sum = logs.reduce((total, log, b) => total + 2 * log * Math.cos((Math.PI * c * (2 * b + 1)) / 80), 0);
      result[frame * 10 + c] = sum / Math.sqrt(80);
    }
  }
  return result;
}

const slaneyBands = (() => {
  const mel = (f: number): number => (f < 1000 ? (3 * f) / 200 : 15 + (27 * Math.log(f / 1000)) / Math.log(6.4));
  const hertz = (m: number): number => (m < 15 ? (200 * m) / 3 : 1000 * Math.exp((Math.log(6.4) * (m - 15)) / 27));
  const edge = (i: number): number => hertz((mel(RATE / 2) * i) / 65);
  return Array.from({ length: 64 }, (_, b) =>
    Float64Array.from({ length: 513 }, (_, k) => {
      const f = (k * RATE) / 1024;
      const rise = (f - edge(b)) / (edge(b + 1) - edge(b));
      const fall = (edge(b + 2) - f) / (edge(b + 2) - edge(b + 1));
      return (Math.max(0, Math.min(rise, fall)) * 2) / (edge(b + 2) - edge(b));
    }),
  );
})();

/** Anomaly detection: ten frames of 64 mel bands in decibels. */
function logMel(samples: Float64Array): Float32Array {
  const result = new Float32Array(640);
  for (let frame = 0; frame < 10; frame++) {
    const bins = spectrum(samples, frame * 512, 1024, 1024, 2);
    for (const [b, band] of slaneyBands.entries()) {
      const power = band.reduce((sum, weight, k) => sum + weight * bins[k]!, 0);
      result[frame * 64 + b] = 10 * Math.log10(power + 2.220446049250313e-16);
    }
  }
  return result;
}

/** A 16-bit file of one or two channels whose data begin at byte 44. */
export function wave(path: string): Float64Array {
  const bytes = readFileSync(path);
  const channels = bytes.readUInt16LE(22);
  return Float64Array.from({ length: (bytes.length - 44) / (2 * channels) }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += bytes.readInt16LE(44 + 2 * (i * channels + c)) / 32768;
    return sum / channels;
  });
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** rows from the top, RGB, 0 … 255 */
  readonly pixels: ArrayLike<number>;
}

function bitmap(path: string): Picture {
  const bytes = readFileSync(path);
  const [start, width, height] = [bytes.readUInt32LE(10), bytes.readInt32LE(18), bytes.readInt32LE(22)];
  const row = Math.ceil((width * 3) / 4) * 4;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++)
        pixels[(y * width + x) * 3 + c] = bytes[start + (height - 1 - y) * row + x * 3 + 2 - c]!;
    }
  }
  return { width, height, pixels };
}

/** A square part, maybe mirrored, made `size` × `size` by averages of 3 × 3 interpolated points a cell. */
function crop({ width, height, pixels }: Picture, size: number, random: Random): Float32Array {
  const side = Math.min(width, height) * random.real(0.4, 1);
  const [left, top] = [random.real(0, width - side), random.real(0, height - side)];
  const mirrored = random.integer(0, 1) === 1;
  const gain = random.real(0.7, 1.15);
  const at = (x: number, y: number, c: number): number => {
    const [cx, cy] = [Math.max(0, Math.min(width - 1, x)), Math.max(0, Math.min(height - 1, y))];
    const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
    const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
    const value = (px: number, py: number): number => pixels[(py * width + px) * 3 + c]!;
    const upper = value(x0, y0) + (cx - x0) * (value(x1, y0) - value(x0, y0));
    const lower = value(x0, y1) + (cx - x0) * (value(x1, y1) - value(x0, y1));
    return upper + (cy - y0) * (lower - upper);
  };
  const result = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < 9; i++) {
          const [u, v] = [(x + ((i % 3) + 0.5) / 3) / size, (y + (Math.floor(i / 3) + 0.5) / 3) / size];
          sum += at(left + (mirrored ? 1 - u : u) * side - 0.5, top + v * side - 0.5, c);
        }
        result[(y * size + x) * 3 + c] = Math.min(255, (gain * sum) / 9);
      }
    }
  }
  return result;
}

export function inputsOf(net: string, data: string, counts: { calibration: number; held: number }): Inputs {
  const media = join(data, "media");
  const random = new Random(2026);
  const make = (count: number, one: (i: number) => Float32Array): Float32Array[] =>
    Array.from({ length: count }, (_, i) => one(i));
  if (net === "kws" || net === "ad01") {
    const sound = (name: string): Float64Array => wave(join(media, name));
    const long = sound("short_wav_easy10s.wav");
    const [half, one] = [long.length / 2, RATE];
    const sides = {
      calibration: [long.subarray(0, half), sound("yes_1000ms.wav"), sound("silence_1000ms.wav")],
      held: [long.subarray(half), sound("no_1000ms.wav"), sound("marvin_617de221_0.wav"), sound("noise_1000ms.wav")],
    };
    const window = (sources: readonly Float64Array[], i: number): Float32Array => {
      // every other one from the long sound
      const source = i % 2 === 0 ? sources[0]! : sources[1 + ((i >> 1) % (sources.length - 1))]!;
      const at = Math.floor(random.real(-0.2 * one, Math.max(source.length - 0.8 * one, 0.2 * one)));
      const gain = 10 ** random.real(-1.5, 0);
      const noise = 10 ** random.real(-5, -2.5);
      const samples = Float64Array.from(
        { length: one },
        (_, k) => gain * (source[at + k] ?? 0) + noise * random.real(-1, 1),
      );
      return net === "kws" ? mfcc(samples) : logMel(samples.subarray(4000));
    };
    return {
      calibration: make(counts.calibration, (i) => window(sides.calibration, i)),
      held: make(counts.held, (i) => window(sides.held, i)),
    };
  }
  const stored = (name: string): Picture => {
    const bytes = readFileSync(join(data, "cases/vww_96_float", name, "in0.bin"));
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    return { width: 96, height: 96, pixels: values.map((value) => value * 255) };
  };
  const sides = {
    calibration: [bitmap(join(media, "grace_hopper.bmp")), bitmap(join(media, "bird.bmp")), stored("sunflower")],
    held: [bitmap(join(media, "cat.bmp")), stored("face"), stored("person")],
  };
  const [size, top] = net === "vww" ? [96, 1] : [32, 255];
  const picture = (sources: readonly Picture[], i: number): Float32Array =>
    crop(sources[i % sources.length]!, size!, random).map((value) => (value * top!) / 255);
  return {
    calibration: make(counts.calibration, (i) => picture(sides.calibration, i)),
    held: make(counts.held, (i) => picture(sides.held, i)),
  };
}

export const pipelines = { mfcc, logMel };
