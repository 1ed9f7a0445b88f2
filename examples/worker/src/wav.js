// A WAV body → mono samples and their rate. Invariant: looks only at bytes that are there.
import { HttpError } from "mote-runtime/worker";

/** @returns {{ samples: Float32Array, sampleRate: number }} −1 … 1; throws HttpError 400 or 422 */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 44 || text(0) !== "RIFF" || text(8) !== "WAVE") throw new HttpError(400, "The body is not a WAV.");
  let format;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const end = Math.min(at + 8 + size, bytes.length);
    if (text(at) === "fmt " && end - at >= 24) format = at + 8;
    if (text(at) === "data" && format) return samplesOf(view, format, at + 8, end);
    at += 8 + size + (size % 2);
  }
  throw new HttpError(400, "The WAV has no format or no data.");
}

function samplesOf(view, format, start, end) {
  const [kind, channels] = [view.getUint16(format, true), view.getUint16(format + 2, true)];
  const [sampleRate, bits] = [view.getUint32(format + 4, true), view.getUint16(format + 14, true)];
  if (kind !== 1 || bits !== 16 || channels < 1 || channels > 2)
    throw new HttpError(422, "The WAV must hold 16-bit PCM, mono or stereo.");
  const samples = new Float32Array(Math.floor((end - start) / (2 * channels)));
  if (samples.length === 0) throw new HttpError(400, "The WAV has no samples.");
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += view.getInt16(start + 2 * (i * channels + c), true);
    samples[i] = sum / channels / 32768;
  }
  return { samples, sampleRate };
}
