// The .mote file: its checksum, and what is written reads back, the same bytes every time.
import { describe, expect, it } from "vitest";
import { crc32c } from "../../host/format/crc32c.ts";
import { readModel } from "../../host/format/reader.ts";
import { writeModel } from "../../tools/pack/file.ts";
import { TINY, tinyContent, tinyModel } from "../support/tinyModel.ts";

/** The same map with every object's keys the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  );
}

describe("crc32c", () => {
  it("gives the check value of the catalogue and RFC 3720's vectors", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });
});

describe("a written file", () => {
  it("reads back what was written", () => {
    const content = tinyContent();
    const file = readModel(writeModel(content));
    expect(file.header).toEqual(content.header);
    expect(file.image).toEqual(content.image);
    expect(file.selfTest).toEqual(content.selfTest);
    expect(file.inputs).toEqual([{ port: content.header.inputs[0], length: 12, offset: TINY.input, bytes: 12 }]);
    expect(file.outputs[0]!.offset).toBe(TINY.output);
  });

  it.each([31, 32, 64, 255, 256, 65535, 65536])("keeps a name of %i bytes", (length) => {
    const { header, ...rest } = tinyContent();
    const name = "n".repeat(length);
    expect(readModel(writeModel({ ...rest, header: { ...header, name } })).header.name).toBe(name);
  });

  it("has the same bytes whatever the order of keys and what was written before", () => {
    const content = tinyContent();
    const first = writeModel(content);
    writeModel(tinyContent({ header: { name: "another" } }));
    expect(writeModel({ ...content, header: reversed(content.header) as typeof content.header })).toEqual(first);
  });

  it("reads at any byte offset", () => {
    const bytes = tinyModel();
    for (let shift = 1; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + 16).subarray(shift, shift + bytes.length);
      shifted.set(bytes);
      expect(readModel(shifted).header.name).toBe("tiny");
    }
  });

  it("keeps MACs past 2³² and text in any script", () => {
    const [step] = tinyContent().header.steps;
    const steps = [{ ...step!, macs: 2 ** 40 + 1, name: "слой/層 ✓" }];
    expect(readModel(tinyModel({ header: { steps } })).header.steps).toEqual(steps);
  });
});
