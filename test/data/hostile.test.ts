// Damaged input files of every kind, by seed: an array that fits the port or a ToolError, never anything else.
import { crc32 } from "node:zlib";
import { encode } from "fast-png";
import jpeg from "jpeg-js";
import { expect, it } from "vitest";
import wavefile from "wavefile";
import type { PortHeader } from "../../host/format/header.ts";
import { feedFile } from "../../tools/data/feed.ts";
import { ToolError } from "../../tools/errors.ts";
import { Random } from "../support/random.ts";
import { npyFile, npyHeader } from "./npyFile.ts";
import { pngFile } from "./pngFile.ts";

const port = (more: Partial<PortHeader>): PortHeader => ({
  name: "x",
  shape: [1, 4, 4, 3],
  dtype: "int8",
  storage: "int8",
  scale: 1 / 255,
  zeroPoint: -128,
  ...more,
});
const PICTURE = port({ meaning: { kind: "image", mean: 0, std: 255 } });
const SOUND = port({ shape: [1, 40], meaning: { kind: "audio", sampleRate: 8000, gain: 1 } });

const wav = new wavefile.WaveFile();
wav.fromScratch(
  2,
  8000,
  "16",
  Array.from({ length: 64 }, (_, i) => i * 100),
);
const noise = Uint8Array.from({ length: 9 * 7 * 4 }, (_, i) => (i * 37) & 255);
const rows = [
  [0x1b, 0x80],
  [0xe4, 0x40],
];

const FILES: readonly (readonly [name: string, port: PortHeader, file: Uint8Array, rounds: number])[] = [
  ["x.npy", PICTURE, npyFile(npyHeader("<f4", "(4, 4, 3)"), new Float32Array(48)), 3000],
  ["x.wav", SOUND, wav.toBuffer(), 3000],
  ["grey.png", PICTURE, encode({ width: 9, height: 7, channels: 4, depth: 8, data: noise }), 1500],
  [
    "palette.png",
    PICTURE,
    pngFile({ width: 5, height: 2, depth: 2, colour: 3, rows, palette: [...noise.subarray(0, 12)], transparency: [9] }),
    1500,
  ],
  ["x.jpg", PICTURE, jpeg.encode({ width: 9, height: 7, data: noise }, 60).data, 1000],
  ["x.bin", PICTURE, new Uint8Array(48), 200],
];

/** Sets the checksums of a PNG right, so that the damage reaches what is behind them. */
function sealed(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return bytes;
}

function damaged(file: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(file);
  for (let change = random.integer(1, 4); change > 0; change--) {
    const at = random.integer(0, bytes.length - 1);
    switch (random.integer(0, 4)) {
      case 0:
        bytes = bytes.slice(0, at + 1);
        break;
      case 1:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + random.integer(1, 8)), 0]);
        break;
      case 2:
        bytes.fill([0, 0xff, 0x7f, 0x80][random.integer(0, 3)]!, at, at + random.integer(1, 4));
        break;
      default:
        bytes[at]! ^= 1 << random.integer(0, 7);
    }
  }
  return bytes;
}

it.each(FILES)("%s", async (name, target, file, rounds) => {
  const count = target.shape.reduce((product, size) => product * size, 1);
  expect((await feedFile(target, file, name)).data).toHaveLength(count);
  let read = 0;
  for (let seed = 0; seed < rounds; seed++) {
    const random = new Random(seed);
    const bytes = damaged(file, random);
    try {
      const { data } = await feedFile(target, name.endsWith(".png") && seed % 2 ? sealed(bytes) : bytes, name);
      expect(data.length, `seed ${seed}`).toBe(count);
      read++;
    } catch (error) {
      if (!(error instanceof ToolError) || (error.code !== "BAD_FILE" && error.code !== "BAD_INPUT")) {
        throw new Error(`seed ${seed}: not a ToolError: ${String(error)}`, { cause: error });
      }
      expect(error.message, `seed ${seed}`).not.toMatch(/\n/);
    }
  }
  expect(read).toBeLessThan(rounds);
});
