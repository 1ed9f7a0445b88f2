// A file and a port: which reader is taken, what the numbers become, what is refused and how it is said.
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import wavefile from "wavefile";
import type { PortHeader } from "../../host/format/header.ts";
import { feedFile } from "../../tools/data/feed.ts";
import { npyFile, npyHeader } from "./npyFile.ts";

const port = (more: Partial<PortHeader> = {}): PortHeader => ({
  name: "x",
  shape: [1, 2, 2, 1],
  dtype: "int8",
  storage: "int8",
  ...more,
});
const PICTURE = port({ meaning: { kind: "image", mean: 100, std: 50 } });
const png = encode({ width: 2, height: 2, channels: 1, depth: 8, data: Uint8Array.of(0, 50, 100, 200) });
const wav = (rate: number): Uint8Array => {
  const file = new wavefile.WaveFile();
  file.fromScratch(1, rate, "16", [16384, -16384, 8192]);
  return file.toBuffer();
};

describe("feedFile", () => {
  it("scales a picture as the port says", async () => {
    expect(await feedFile(PICTURE, png, "x.png")).toEqual({ data: Float32Array.of(-2, -1, 0, 2) });
  });

  it("goes by content, and by name only for raw bytes", async () => {
    expect((await feedFile(PICTURE, png, "x.jpg")).data).toHaveLength(4);
    expect((await feedFile(PICTURE, Uint8Array.of(0x89, 0x50, 0x4e, 0x47), "x.BIN")).data).toEqual(
      Int8Array.of(-119, 80, 78, 71),
    );
  });

  it("reads raw bytes in the interface's dtype, little-endian", async () => {
    const words = port({ dtype: "int16", storage: "int16" });
    expect((await feedFile(words, Uint8Array.of(1, 0, 0, 1, 255, 255, 0, 128), "x.bin")).data).toEqual(
      Int16Array.of(1, 256, -1, -32768),
    );
    const real = port({ dtype: "float32", storage: "int8" });
    expect((await feedFile(real, new Uint8Array(16), "x.bin")).data).toEqual(new Float32Array(4));
  });

  it("takes an array whose shape fits up to leading ones", async () => {
    for (const shape of ["(2, 2, 1)", "(1, 2, 2, 1)", "(1, 1, 2, 2, 1)"]) {
      expect((await feedFile(port(), npyFile(npyHeader("|i1", shape), new Int8Array(4)), "x.npy")).data).toHaveLength(
        4,
      );
    }
    await expect(feedFile(port(), npyFile(npyHeader("|i1", "(2, 2)"), new Int8Array(4)), "x.npy")).rejects.toThrow(
      'x.npy must have shape 1×2×2×1 for input "x", got 2×2; reshape it first.',
    );
    const one = npyFile(npyHeader("|i1", "()"), new Int8Array(1));
    await expect(feedFile(port(), one, "x.npy")).rejects.toThrow("got a scalar");
    expect((await feedFile(port({ shape: [1, 1] }), one, "x.npy")).data).toHaveLength(1);
  });

  it("scales a sound, fills it up with silence or cuts it, and says so", async () => {
    const sound = (count: number) => port({ shape: [1, count], meaning: { kind: "audio", sampleRate: 8000, gain: 4 } });
    expect(await feedFile(sound(3), wav(8000), "x.wav")).toEqual({ data: Float32Array.of(2, -2, 1) });
    expect(await feedFile(sound(4), wav(8000), "x.wav")).toEqual({
      data: Float32Array.of(2, -2, 1, 0),
      note: "x.wav: 3 samples followed by silence to give 4",
    });
    expect(await feedFile(sound(2), wav(8000), "x.wav")).toEqual({
      data: Float32Array.of(2, -2),
      note: "x.wav: 3 samples cut at the end to give 2",
    });
    await expect(feedFile(sound(3), wav(16000), "x.wav")).rejects.toThrow(
      'x.wav must have 8000 samples a second for input "x", got 16000; resample it first.',
    );
  });

  it.each([
    [
      "a picture for a port without meaning",
      port(),
      png,
      /does not say what its numbers stand for; import the model with --meaning "x=image:0,255"/,
    ],
    ["a sound for a port without meaning", port(), wav(8000), /import the model with --meaning "x=audio:16000"/],
    ["a sound for a picture port", PICTURE, wav(8000), /which is image; import/],
    [
      "a picture for a port of two",
      { ...PICTURE, shape: [2, 2, 2, 1] },
      png,
      /is one picture, and input "x" takes 2 at once/,
    ],
    [
      "a picture for four channels",
      { ...PICTURE, shape: [1, 2, 2, 4] },
      png,
      /needs a shape of height × width × 1 or 3/,
    ],
    ["a picture for a vector", { ...PICTURE, shape: [4] }, png, /needs a shape of height × width × 1 or 3, got 4;/],
    ["an unknown file", PICTURE, Buffer.from("BM and so on"), /none of PNG, JPEG, WAV and \.npy; convert it/],
    ["an empty file", PICTURE, new Uint8Array(0), /none of PNG, JPEG, WAV and \.npy/],
  ])("refuses %s", async (_, target, file, message) => {
    await expect(feedFile(target, file, "file")).rejects.toThrow(message);
    await expect(feedFile(target, file, "file")).rejects.toMatchObject({ name: "ToolError" });
  });
});
