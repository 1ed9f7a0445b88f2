// Loaders of training data: what they read, and one clear sentence for what they cannot; metrics and augmentation.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { encode } from "fast-png";
import { afterAll, describe, expect, it } from "vitest";
import wavefile from "wavefile";
import { ToolError } from "../../tools/errors.ts";
import { imageAugment, sequenceAugment } from "../../tools/train/augment.ts";
import { readCsv } from "../../tools/train/data/csv.ts";
import { imageFolder, npySamples, wavFolder } from "../../tools/train/data/folders.ts";
import { readIdx } from "../../tools/train/data/idx.ts";
import { readVerified } from "../../tools/train/data/verified.ts";
import * as metrics from "../../tools/train/metrics.ts";
import { Random } from "../../tools/train/random.ts";
import { epochOrder, split } from "../../tools/train/samples.ts";
import { blobs } from "./tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-data-"));
afterAll(() => rmSync(folder, { recursive: true }));

function place(path: string, bytes: Uint8Array | string): string {
  const full = join(folder, path);
  mkdirSync(join(full, ".."), { recursive: true });
  writeFileSync(full, bytes);
  return full;
}

describe("IDX", () => {
  const file = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]);
  it.each([file, gzipSync(file)])("reads bytes, compressed too", (bytes) => {
    expect(readIdx(bytes, "t")).toEqual({ shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 255) });
  });
  it("reads big-endian floats", () => {
    const floats = Buffer.concat([Buffer.from([0, 0, 13, 1, 0, 0, 0, 1]), Buffer.from([0x3f, 0x80, 0, 0])]);
    expect(readIdx(floats, "t").data[0]).toBe(1);
  });
  it("refuses every damaged file with a ToolError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(17), fc.nat(255), (noise, at, value) => {
        const changed = Buffer.from(file);
        changed[at] = value;
        for (const bytes of [noise, changed, file.subarray(0, at)]) {
          try {
            const { shape, data } = readIdx(bytes, "t");
            expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
          } catch (error) {
            expect(error).toBeInstanceOf(ToolError);
          }
        }
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

describe("CSV", () => {
  const text = '\uFEFFheight,name,kind\r\n1.5,"a, ""b""",cat\n-2e3,x,dog\n\n';
  it("reads quoted fields, numbers and labels", () => {
    const table = readCsv(text, "t.csv");
    expect(table.rows).toEqual([
      ["1.5", 'a, "b"', "cat"],
      ["-2e3", "x", "dog"],
    ]);
    expect(table.numbers("height")).toEqual(Float32Array.of(1.5, -2000));
    expect(table.labels("kind")).toEqual({ labels: Int32Array.of(0, 1), classes: ["cat", "dog"] });
  });
  it("says which row and column is wrong", () => {
    expect(() => readCsv(text, "t.csv").numbers("kind")).toThrow(
      't.csv: row 2, column "kind" is "cat" but a number was expected.',
    );
    expect(() => readCsv(text, "t.csv").numbers("weight")).toThrow('has no column "weight"; it has height, name, kind');
    expect(() => readCsv("a,b\n1", "t.csv")).toThrow("row 2 has 1 fields but the first has 2");
    expect(() => readCsv('a\n"open', "t.csv")).toThrow("never closed");
    expect(() => readCsv("a\n\n1\n,", "t.csv")).toThrow(ToolError);
    expect(() => readCsv("", "t.csv")).toThrow("is empty");
  });
});

describe("folders", () => {
  it("of pictures: a class each, scaled to one size", () => {
    const grey = (level: number, size: number): Uint8Array =>
      encode({ width: size, height: size, channels: 1, depth: 8, data: new Uint8Array(size * size).fill(level) });
    place("pictures/dark/1.png", grey(51, 8));
    place("pictures/light/1.png", grey(255, 5));
    place("pictures/light/2.png", grey(204, 4));
    const { x, y, classes, count } = imageFolder(join(folder, "pictures"), { height: 4, width: 4, channels: 3 });
    expect([count, classes, Array.from(y)]).toEqual([3, ["dark", "light"], [0, 1, 1]]);
    for (const [i, level] of [0.2, 1, 0.8].entries()) expect(x[i * 48 + 7]).toBeCloseTo(level, 5);
    place("pictures/light/notes.txt", "no picture");
    expect(() => imageFolder(join(folder, "pictures"), { height: 4, width: 4, channels: 1 })).toThrow(
      /notes\.txt is neither PNG nor JPEG/,
    );
    expect(() => imageFolder(join(folder, "nowhere"), { height: 4, width: 4, channels: 1 })).toThrow(
      /cannot be read: ENOENT/,
    );
  });

  it("of sounds: cut and filled to one length", () => {
    const wav = (values: number[], rate: number): Uint8Array => {
      const file = new wavefile.WaveFile();
      file.fromScratch(1, rate, "32f", values);
      return file.toBuffer();
    };
    place("sounds/no/1.wav", wav([0.5, -0.25], 8000));
    place("sounds/yes/1.wav", wav([1, 1, 1, 1, 1], 8000));
    const { x, y } = wavFolder(join(folder, "sounds"), { sampleRate: 8000, samples: 3 });
    expect([Array.from(x), Array.from(y)]).toEqual([
      [0.5, -0.25, 0, 1, 1, 1],
      [0, 1],
    ]);
    expect(() => wavFolder(join(folder, "sounds"), { sampleRate: 16000, samples: 3 })).toThrow(
      /has 8000 samples a second but 16000/,
    );
  });

  it("of NumPy files", () => {
    const npy = (descr: string, shape: string, data: Uint8Array): Buffer => {
      const head = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
      const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(head.length, 0)}`, "latin1");
      return Buffer.concat([start, Buffer.from(head), data]);
    };
    const x = place("x.npy", npy("<f4", "2, 3", new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)));
    const y = place("y.npy", npy("|u1", "2,", Uint8Array.of(1, 0)));
    expect(npySamples(x, y)).toEqual({
      x: Float32Array.of(1, 2, 3, 4, 5, 6),
      shape: [3],
      y: Int32Array.of(1, 0),
      count: 2,
    });
    const z = place("z.npy", npy("|u1", "3,", Uint8Array.of(1, 0, 1)));
    expect(() => npySamples(x, z)).toThrow(/has \[3\] labels for the \[2,3\] samples/);
  });
});

describe("files with a checksum", () => {
  it("are read if they are what was promised", () => {
    const path = place("data.bin", "abc");
    const sum = createHash("sha256").update("abc").digest("hex");
    expect(readVerified(path, sum).toString()).toBe("abc");
    expect(() => readVerified(path, sum.replace(/^./, "0"))).toThrow(/damaged or another version/);
    expect(() => readVerified(join(folder, "none"))).toThrow(/there is no such file/);
  });
});

describe("samples", () => {
  it("are split by class, the same way each time", () => {
    const [rest, part] = split(blobs(90, 1), 0.2, 7);
    expect([rest.count, part.count]).toEqual([72, 18]);
    for (const label of [0, 1, 2]) expect(part.y.filter((y) => y === label)).toHaveLength(6);
    expect(split(blobs(90, 1), 0.2, 7)[1]).toEqual(part);
  });
  it("come in an order that is a permutation, another in each epoch", () => {
    const orders = [0, 1].map((epoch) => epochOrder(50, 3, epoch));
    for (const order of orders)
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(orders[0]).not.toEqual(orders[1]);
    expect(epochOrder(50, 3, 1)).toEqual(orders[1]);
  });
});

describe("augmentation", () => {
  const changed = (
    augment: ReturnType<typeof imageAugment>,
    from: Float32Array,
    shape: number[],
    seed: number,
  ): Float32Array => {
    const to = new Float32Array(from.length);
    augment(from, to, shape, new Random(seed));
    return to;
  };
  it("of pictures: nothing asked, nothing changed; the same seed, the same change; mass stays about the same", () => {
    const picture = new Float32Array(28 * 28).map((_, i) => (i % 28 > 9 && i % 28 < 18 && i > 280 && i < 500 ? 1 : 0));
    expect(changed(imageAugment({}), picture, [28, 28, 1], 4)).toEqual(picture);
    const all = imageAugment({ rotate: 15, stretch: 0.1, slant: 0.1, shift: 3, mirror: true });
    const one = changed(all, picture, [28, 28, 1], 4);
    expect(one).toEqual(changed(all, picture, [28, 28, 1], 4));
    expect(one).not.toEqual(changed(all, picture, [28, 28, 1], 5));
    const mass = (p: Float32Array): number => p.reduce((sum, v) => sum + v, 0);
    expect(mass(one) / mass(picture)).toBeGreaterThan(0.75);
    expect(mass(one) / mass(picture)).toBeLessThan(1.3);
  });
  it("of sequences: shifts and blanks", () => {
    const ramp = Float32Array.from({ length: 20 }, (_, i) => i + 1);
    expect(changed(sequenceAugment({}), ramp, [10, 2], 1)).toEqual(ramp);
    const moved = changed(sequenceAugment({ shift: 3, maskSteps: 2, fill: -1 }), ramp, [10, 2], 8);
    expect(moved).not.toEqual(ramp);
    expect(moved.every((v) => v === -1 || ramp.includes(v))).toBe(true);
  });
});

describe("metrics", () => {
  const scores = [0.1, 0.7, 0.2, 0.5, 0.3, 0.2, 0.3, 0.3, 0.4, 0.2, 0.2, 0.6];
  const labels = [1, 0, 0, 1];
  it("accuracy, top-k and confusion", () => {
    expect(metrics.accuracy(scores, labels, 3)).toBe(0.5);
    expect(metrics.topK(scores, labels, 3, 1)).toBe(0.5);
    expect(metrics.topK(scores, labels, 3, 2)).toBe(0.75);
    expect(metrics.topK(scores, labels, 3, 3)).toBe(1);
    expect(metrics.confusion(scores, labels, 3)).toEqual([
      [1, 0, 1],
      [0, 1, 1],
      [0, 0, 0],
    ]);
  });
  it("ROC-AUC counts pairs in the right order, ties half", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 30 }),
        (samples) => {
          const [values, positive] = [samples.map(([v]) => v), samples.map(([, p]) => p)];
          let [right, pairs] = [0, 0];
          for (const [v, p] of samples) {
            for (const [w, q] of samples) {
              if (!p || q) continue;
              pairs++;
              right += v > w ? 1 : v === w ? 0.5 : 0;
            }
          }
          const area = metrics.rocAuc(values, positive);
          if (pairs === 0) expect(area).toBeUndefined();
          else expect(area).toBeCloseTo(right / pairs, 10);
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });
});
