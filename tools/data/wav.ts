// WAV → mono samples in −1 … 1. The sample formats themselves are wavefile's.
// Invariant: any bytes give samples or ToolError BAD_FILE, in time linear in the bytes.

import wavefile from "wavefile";
import { ToolError } from "../errors.ts";

export interface Sound {
  readonly sampleRate: number;
  readonly samples: Float64Array;
}

const EXTENSIBLE = 0xfffe;
const FORMATS: Readonly<Record<string, readonly number[]>> = { 1: [8, 16, 24, 32], 3: [32, 64], 6: [8], 7: [8] };

/** The bodies of the `fmt ` and `data` chunks. */
function findChunks(bytes: Uint8Array): { readonly format: DataView; readonly data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number): string => Buffer.from(bytes.subarray(at, at + 4)).toString("latin1");
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE") throw new Error("no RIFF WAVE header");
  const chunks = new Map<string, Uint8Array>();
  for (let at = 12; at + 8 <= bytes.length && !chunks.has("data"); ) {
    const end = at + 8 + view.getUint32(at + 4, true);
    const id = text(at);
    if (id === "fmt " || id === "data") {
      if (end > bytes.length) throw new Error(`its "${id}" chunk is cut off`);
      chunks.set(id, bytes.subarray(at + 8, end));
    }
    at = end + (end % 2);
  }
  const [format, data] = [chunks.get("fmt "), chunks.get("data")];
  if (!format || format.length < 16) throw new Error('no whole "fmt " chunk');
  if (!data) throw new Error('no "data" chunk');
  return { format: new DataView(format.buffer, format.byteOffset, format.length), data };
}

/**
 * The same sound in a file of nothing but the two chunks that matter, checked: wavefile believes the counts
 * inside the others, however large, and reads a format that it does not know as if it were PCM.
 */
function essentials(bytes: Uint8Array): { readonly file: Uint8Array; readonly frames: number } {
  const { format, data } = findChunks(bytes);
  const tag = format.getUint16(0, true);
  const kind = tag === EXTENSIBLE && format.byteLength >= 26 ? format.getUint16(24, true) : tag;
  const [channels, bits] = [format.getUint16(2, true), format.getUint16(14, true)];
  if (!FORMATS[kind]?.includes(bits)) {
    throw new Error(`format ${kind} with ${bits} bits, expected PCM, float, A-law or μ-law`);
  }
  const frame = (channels * bits) / 8;
  if (frame === 0 || format.getUint16(12, true) !== frame) throw new Error("its frames do not fit its channels");
  if (format.getUint32(4, true) === 0) throw new Error("its sample rate is 0");
  const samples = data.subarray(0, data.length - (data.length % frame));
  const file = Buffer.alloc(44 + samples.length + (samples.length % 2));
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  for (let at = 0; at < 16; at++) file[20 + at] = format.getUint8(at);
  file.writeUInt16LE(kind, 20);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(samples.length, 40);
  file.set(samples, 44);
  return { file, frames: samples.length / frame };
}

/** What a sample of −1 … 1 is multiplied by, and what is then added, in a file of this bit depth. */
function rangeOf(bitDepth: string): readonly [scale: number, offset: number] {
  if (bitDepth === "32f" || bitDepth === "64") return [1, 0];
  const scale = 2 ** (Number(bitDepth) - 1);
  // only 8 bits are unsigned
  return [scale, bitDepth === "8" ? scale : 0];
}

function decodeWav(bytes: Uint8Array): Sound {
  const { file, frames } = essentials(bytes);
  const wav = new wavefile.WaveFile(file);
  const { numChannels = 1, sampleRate = 0 } = wav.fmt as Record<string, number>;
  if (wav.bitDepth === "8a") wav.fromALaw();
  else if (wav.bitDepth === "8m") wav.fromMuLaw();
  const interleaved = wav.getSamples(true);
  const [scale, offset] = rangeOf(wav.bitDepth);
  // wavefile also counts the byte that pads an odd number of them
  const samples = Float64Array.from({ length: frames }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < numChannels; channel++) sum += interleaved[i * numChannels + channel]! - offset;
    return sum / (scale * numChannels);
  });
  if (!samples.every(Number.isFinite)) throw new Error("a sample is not a number");
  return { sampleRate, samples };
}

/** Throws ToolError BAD_FILE. Several channels are averaged. */
export function readWav(bytes: Uint8Array, name: string): Sound {
  try {
    return decodeWav(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError("BAD_FILE", `${name} cannot be read as WAV (${reason}); save it again as 16-bit PCM.`, {
      cause,
    });
  }
}
