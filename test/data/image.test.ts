// Pictures made to fit: grey and colour, smaller and larger, turned upright; and JPEG, which comes with all of it.
import jpeg from "jpeg-js";
import { describe, expect, it } from "vitest";
import { type Picture, resize, upright, withChannels } from "../../tools/data/image.ts";
import { readJpeg } from "../../tools/data/jpeg.ts";

const grey = (width: number, height: number, samples: readonly number[]): Picture => ({
  width,
  height,
  channels: 1,
  samples: Float32Array.from(samples),
});

describe("withChannels", () => {
  it("makes grey of colour by BT.601, and colour of grey", () => {
    const colours: Picture = {
      width: 4,
      height: 1,
      channels: 3,
      samples: Float32Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90]),
    };
    expect([...withChannels(colours, 1).samples].map((sample) => Math.round(sample * 1000) / 1000)).toEqual([
      76.245, 149.685, 29.07, 90,
    ]);
    expect(withChannels(grey(2, 1, [1, 2]), 3).samples).toEqual(Float32Array.of(1, 1, 1, 2, 2, 2));
  });
});

describe("resize", () => {
  it("leaves a picture of the right size as it is", () => {
    const picture = grey(2, 2, [1, 2, 3, 4]);
    expect(resize(picture, 2, 2).samples).toBe(picture.samples);
  });

  it("averages the area when it shrinks, also by a fraction", () => {
    expect([...resize(grey(4, 2, [0, 2, 4, 6, 8, 10, 12, 14]), 2, 1).samples]).toEqual([5, 9]);
    const [left, right] = resize(grey(3, 1, [0, 30, 60]), 2, 1).samples;
    expect(left).toBeCloseTo(10, 4);
    expect(right).toBeCloseTo(50, 4);
  });

  it("interpolates between centres when it grows, and keeps the edges", () => {
    expect([...resize(grey(2, 1, [0, 100]), 4, 1).samples]).toEqual([0, 25, 75, 100]);
    expect([...resize(grey(1, 1, [7]), 2, 3).samples]).toEqual([7, 7, 7, 7, 7, 7]);
  });

  it("keeps channels apart, and a flat picture flat", () => {
    const flat: Picture = {
      width: 5,
      height: 7,
      channels: 3,
      samples: new Float32Array(105).map((_, i) => 10 * (i % 3)),
    };
    const { samples } = resize(flat, 3, 11);
    expect(samples).toHaveLength(99);
    for (const [i, sample] of samples.entries()) expect(sample).toBeCloseTo(10 * (i % 3), 4);
  });
});

/** How EXIF's eight orientations store the picture 1 2 3 / 4 5 6. */
const STORED = [
  grey(3, 2, [1, 2, 3, 4, 5, 6]),
  grey(3, 2, [3, 2, 1, 6, 5, 4]),
  grey(3, 2, [6, 5, 4, 3, 2, 1]),
  grey(3, 2, [4, 5, 6, 1, 2, 3]),
  grey(2, 3, [1, 4, 2, 5, 3, 6]),
  grey(2, 3, [3, 6, 2, 5, 1, 4]),
  grey(2, 3, [6, 3, 5, 2, 4, 1]),
  grey(2, 3, [4, 1, 5, 2, 6, 3]),
] as const;

describe("upright", () => {
  it.each(STORED.map((picture, i) => [i + 1, picture] as const))("undoes orientation %i", (orientation, picture) => {
    expect(upright(picture, orientation)).toEqual(STORED[0]);
  });

  it("leaves a picture of no known orientation", () => {
    expect(upright(STORED[0], 0)).toBe(STORED[0]);
    expect(upright(STORED[0], 99)).toBe(STORED[0]);
  });
});

/** A JPEG of a white left and a black right half, 16 × 8. */
function halves(): Uint8Array {
  const data = Uint8Array.from({ length: 16 * 8 * 4 }, (_, i) => (i % 4 === 3 || (i >> 2) % 16 < 8 ? 255 : 0));
  return jpeg.encode({ width: 16, height: 8, data }, 95).data;
}

/** The same with an EXIF segment of one entry after the start marker. */
function withExif(file: Uint8Array, little: boolean, orientation: number): Uint8Array {
  const exif = Buffer.alloc(4 + 6 + 8 + 2 + 12);
  exif.writeUInt16BE(0xffe1, 0);
  exif.writeUInt16BE(exif.length - 2, 2);
  exif.write("Exif\0\0", 4, "latin1");
  const view = new DataView(exif.buffer, exif.byteOffset + 10);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 1, little);
  view.setUint16(10, 0x112, little);
  view.setUint16(12, 3, little);
  view.setUint32(14, 1, little);
  view.setUint16(18, orientation, little);
  return Buffer.concat([file.subarray(0, 2), exif, file.subarray(2)]);
}

describe("readJpeg", () => {
  it("reads samples near those that were written", () => {
    const { width, height, channels, samples } = readJpeg(halves(), "x.jpg");
    expect({ width, height, channels }).toEqual({ width: 16, height: 8, channels: 3 });
    expect(samples[0]).toBeGreaterThan(250);
    expect(samples.at(-1)).toBeLessThan(5);
  });

  it.each([true, false])("turns a picture upright as EXIF says, little-endian %s", (little) => {
    // 3: stored upside down, so that the white half is on the right
    const turned = readJpeg(withExif(halves(), little, 3), "x.jpg");
    expect(turned.samples[0]).toBeLessThan(5);
    expect(readJpeg(withExif(halves(), little, 6), "x.jpg")).toMatchObject({ width: 8, height: 16 });
  });

  it("refuses damage", () => {
    for (const file of [halves().subarray(0, 100), Uint8Array.of(0xff, 0xd8, 0xff), halves().fill(0x55, 20, 200)]) {
      expect(() => readJpeg(file, "x.jpg")).toThrow(/^x\.jpg is a damaged JPEG \(.*\); save it again\.$/);
    }
  });
});
