// PNG: every colour type and depth gives the samples that a viewer shows over black.
import { describe, expect, it } from "vitest";
import { readPng } from "../../tools/data/png.ts";
import { chunk, type PngParts, pngFile } from "./pngFile.ts";

const samples = (parts: PngParts): number[] => [...readPng(pngFile(parts), "x.png").samples];
const one = { width: 1, height: 1 };

describe("readPng", () => {
  it("reads grey of 1, 2, 4, 8 and 16 bits, with padded rows", () => {
    expect(samples({ width: 3, height: 2, depth: 1, colour: 0, rows: [[0b10100000], [0b01000000]] })).toEqual([
      255, 0, 255, 0, 255, 0,
    ]);
    expect(samples({ width: 3, height: 1, depth: 2, colour: 0, rows: [[0b00011000]] })).toEqual([0, 85, 170]);
    expect(samples({ width: 3, height: 1, depth: 4, colour: 0, rows: [[0x0f, 0x80]] })).toEqual([0, 255, 136]);
    expect(samples({ width: 2, height: 1, depth: 8, colour: 0, rows: [[1, 254]] })).toEqual([1, 254]);
    expect(samples({ width: 2, height: 1, depth: 16, colour: 0, rows: [[0xff, 0xff, 1, 1]] })).toEqual([255, 1]);
  });

  it("reads RGB of 8 and 16 bits", () => {
    const picture = readPng(pngFile({ ...one, depth: 8, colour: 2, rows: [[1, 2, 3]] }), "x.png");
    expect(picture).toEqual({ width: 1, height: 1, channels: 3, samples: Float32Array.of(1, 2, 3) });
    expect(samples({ ...one, depth: 16, colour: 2, rows: [[0, 0, 1, 1, 255, 255]] })).toEqual([0, 1, 255]);
  });

  it("puts what is transparent over black", () => {
    expect(samples({ width: 2, height: 1, depth: 8, colour: 4, rows: [[200, 51, 100, 0]] })).toEqual([40, 0]);
    expect(samples({ ...one, depth: 8, colour: 6, rows: [[10, 20, 30, 255]] })).toEqual([10, 20, 30]);
    const key = [0, 9];
    expect(samples({ width: 2, height: 1, depth: 8, colour: 0, rows: [[9, 8]], transparency: key })).toEqual([0, 8]);
    const colourKey = [0, 1, 0, 2, 0, 3];
    const rows = [[1, 2, 3, 1, 2, 4, 5, 5, 5]];
    expect(samples({ width: 3, height: 1, depth: 8, colour: 2, rows, transparency: colourKey })).toEqual([
      0, 0, 0, 1, 2, 4, 5, 5, 5,
    ]);
  });

  it("reads palettes of every depth, with and without alpha", () => {
    const palette = [255, 0, 0, 0, 255, 0];
    expect(samples({ width: 2, height: 1, depth: 1, colour: 3, rows: [[0b01000000]], palette })).toEqual([
      255, 0, 0, 0, 255, 0,
    ]);
    const transparency = [0];
    expect(samples({ width: 2, height: 1, depth: 8, colour: 3, rows: [[0, 1]], palette, transparency })).toEqual([
      0, 0, 0, 0, 255, 0,
    ]);
    // a palette of a truecolour picture is only a hint
    expect(samples({ ...one, depth: 8, colour: 2, rows: [[7, 8, 9]], palette })).toEqual([7, 8, 9]);
  });

  const good = pngFile({ ...one, depth: 8, colour: 0, rows: [[5]] });
  const vast = pngFile({ width: 2 ** 20, height: 2 ** 20, depth: 8, colour: 0, rows: [[0]] });
  it.each([
    ["nothing", new Uint8Array(0), /must be a PNG of 1 to 67108864 pixels, got 0 × 0/],
    ["a picture without pixels", pngFile({ width: 0, height: 1, depth: 8, colour: 0, rows: [] }), /got 0 × 1/],
    ["a vast picture", vast, /got 1048576 × 1048576; make it smaller/],
    ["a cut file", good.subarray(0, 50), /is a damaged PNG \(/],
    ["a changed byte", good.map((byte, i) => (i === 45 ? byte ^ 1 : byte)), /is a damaged PNG \(/],
    ["no rows", pngFile({ ...one, depth: 8, colour: 0, rows: [] }), /is a damaged PNG \(/],
    [
      "an index that the palette lacks",
      pngFile({ ...one, depth: 8, colour: 3, rows: [[2]], palette: [1, 2, 3] }),
      /pixel 0 is not in the palette/,
    ],
    [
      "a palette picture without a palette",
      pngFile({ ...one, depth: 8, colour: 3, rows: [[2]] }),
      /pixel 0 is not in the palette/,
    ],
    [
      "chunks after nothing",
      Buffer.concat([good.subarray(0, 33), chunk("IEND", new Uint8Array(0))]),
      /is a damaged PNG \(/,
    ],
  ])("refuses %s", (_, file, message) => {
    expect(() => readPng(file, "x.png")).toThrow(expect.objectContaining({ name: "ToolError", code: "BAD_FILE" }));
    expect(() => readPng(file, "x.png")).toThrow(message);
  });
});
