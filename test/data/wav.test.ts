// WAV: every sample format gives −1 … 1 mono; what is cut, empty or unknown is refused.
import { describe, expect, it } from "vitest";
import wavefile from "wavefile";
import { readWav } from "../../tools/data/wav.ts";

function wav(bitDepth: string, samples: readonly number[], channels = 1, rate = 8000): Uint8Array {
  const file = new wavefile.WaveFile();
  file.fromScratch(channels, rate, bitDepth, samples as number[]);
  return file.toBuffer();
}

/** A changed copy: `bytes` put at `at`. */
const changed = (file: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array => {
  const copy = Uint8Array.from(file);
  copy.set(bytes, at);
  return copy;
};

const read = (file: Uint8Array): number[] => [...readWav(file, "x.wav").samples];

describe("readWav", () => {
  it.each([
    ["8", [0, 128, 192], [-1, 0, 0.5]],
    ["16", [-32768, 0, 16384], [-1, 0, 0.5]],
    ["24", [-8388608, 0, 4194304], [-1, 0, 0.5]],
    ["32", [-2147483648, 0, 1073741824], [-1, 0, 0.5]],
    ["32f", [-1, 0, 0.5], [-1, 0, 0.5]],
    ["64", [-1, 0, 0.5], [-1, 0, 0.5]],
  ])("reads %s bits", (bitDepth, samples, expected) => {
    expect(readWav(wav(bitDepth, samples), "x.wav").sampleRate).toBe(8000);
    expect(read(wav(bitDepth, samples))).toEqual(expected);
  });

  it.each(["8a", "8m"])("reads %s", (law) => {
    const file = new wavefile.WaveFile();
    file.fromScratch(1, 8000, "16", [0, 16000, -16000]);
    if (law === "8a") file.toALaw();
    else file.toMuLaw();
    const [zero, plus, minus] = read(file.toBuffer());
    expect(Math.abs(zero!)).toBeLessThan(0.001);
    expect(plus).toBeCloseTo(16000 / 32768, 1);
    expect(minus).toBeCloseTo(-16000 / 32768, 1);
  });

  it("averages channels, and drops half a frame at the end", () => {
    expect(read(wav("16", [16384, 0, -32768, -32768], 2))).toEqual([0.25, -1]);
    const odd = wav("16", [16384, 0, 8192], 1);
    const stereo = changed(odd, 22, 2, 0, ...odd.subarray(24, 32), 4, 0);
    expect(read(stereo)).toEqual([0.25]);
  });

  it("passes by other chunks, however large the counts in them", () => {
    const file = Buffer.from(wav("16", [16384]));
    const cue = Buffer.alloc(12);
    cue.write("cue ", 0, "latin1");
    cue.writeUInt32LE(4, 4);
    cue.writeUInt32LE(0xffffffff, 8);
    expect(read(Buffer.concat([file.subarray(0, 36), cue, file.subarray(36)]))).toEqual([0.5]);
  });

  const good = wav("16", [1, 2, 3]);
  it.each([
    ["nothing", new Uint8Array(0), /no RIFF WAVE header/],
    ["a RIFF file of another kind", changed(good, 8, 0x41, 0x56), /no RIFF WAVE header/],
    ["a cut file", good.subarray(0, -2), /its "data" chunk is cut off/],
    ["no data", good.subarray(0, 36), /no "data" chunk/],
    ["no format", changed(good, 12, 0x58), /no whole "fmt " chunk/],
    ["MP3 inside", changed(good, 20, 85), /format 85 with 16 bits, expected PCM, float, A-law or μ-law/],
    ["12 bits", changed(good, 34, 12), /format 1 with 12 bits/],
    ["no channels", changed(good, 22, 0), /its frames do not fit its channels/],
    ["frames of another size", changed(good, 32, 4), /its frames do not fit its channels/],
    ["a sample rate of 0", changed(good, 24, 0, 0, 0, 0), /its sample rate is 0/],
    ["samples that are no numbers", wav("32f", [Number.NaN]), /a sample is not a number/],
  ])("refuses %s", (_, file, message) => {
    expect(() => readWav(file, "x.wav")).toThrow(expect.objectContaining({ name: "ToolError", code: "BAD_FILE" }));
    expect(() => readWav(file, "x.wav")).toThrow(message);
  });
});
