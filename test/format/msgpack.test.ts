// The header's decoder against msgpackr, an implementation that we did not write: the same values from the
// same bytes. What it must refuse is in hostile.test.ts.
import fc from "fast-check";
import { Unpackr } from "msgpackr/unpack";
import { describe, expect, it } from "vitest";
import { decodeHeader } from "../../host/format/msgpack.ts";
import { encodeHeader } from "../../tools/pack/file.ts";

const number = fc.oneof(fc.integer(), fc.maxSafeNat(), fc.double({ noNaN: true }), fc.constantFrom(-32, -33, 127, 128));
const string = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ minLength: 250, maxLength: 300 }));
const key = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__");
const { tree: anyValue } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", maxDepth: 7 },
    fc.constant(null),
    fc.boolean(),
    number,
    string,
    fc.array(tie("tree"), { maxLength: 20 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 20, noNullPrototype: true }),
  ),
}));

describe("the header's decoder", () => {
  it("reads what the packer writes, as msgpackr does", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encodeHeader(value);
        const decoded = decodeHeader(bytes);
        expect(decoded).toEqual(value);
        expect(decoded).toEqual(new Unpackr({ useRecords: false }).unpack(bytes));
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  it.each<readonly [string, readonly number[], unknown]>([
    ["a long list", [0xdd, 0, 0, 0, 2, 1, 2], [1, 2]],
    ["a long map", [0xdf, 0, 0, 0, 1, 0xa1, 0x61, 1], { a: 1 }],
    ["a long text", [0xdb, 0, 0, 0, 1, 0x61], "a"],
    ["a float32", [0xca, 0x3f, 0xc0, 0, 0], 1.5],
    [
      "the least and the most of each integer",
      [0x93, 0xd0, 0x80, 0xd1, 0x80, 0, 0xd2, 0x80, 0, 0, 0],
      [-128, -32768, -(2 ** 31)],
    ],
    ["integers without a sign", [0x93, 0xcc, 255, 0xcd, 255, 255, 0xce, 255, 255, 255, 255], [255, 65535, 2 ** 32 - 1]],
    ["a text that starts with a byte order mark", [0xa3, 0xef, 0xbb, 0xbf], "\ufeff"],
  ])("reads %s", (_, bytes, value) => {
    expect(decodeHeader(Uint8Array.from(bytes))).toEqual(value);
  });

  it("reads bytes that start anywhere in a buffer", () => {
    const bytes = Uint8Array.of(9, 9, 0x91, 0xcd, 1, 2, 9);
    expect(decodeHeader(bytes.subarray(2, 6))).toEqual([258]);
  });

  it("takes a key of __proto__ for data", () => {
    const decoded = decodeHeader(Uint8Array.from([0x81, 0xa9, ...new TextEncoder().encode("__proto__"), 0x80]));
    expect(Object.keys(decoded as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it("finds an end inside a number", () => {
    for (const token of [0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xd0, 0xd1, 0xd2, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf])
      expect(() => decodeHeader(Uint8Array.of(token)), String(token)).toThrow();
  });
});
