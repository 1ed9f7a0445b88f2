// Finds the sections of a .mote file (layout.ts draws it). Invariant: what is returned lies inside the file, in order,
// with its checksum right and zeros between; the signature, if there is one, is not judged here but in host/format/verify.ts.
import { MoteError } from "../errors.ts";
import { badModel } from "./check.ts";
import { crc32c } from "./crc32c.ts";
import {
  FORMAT_VERSION,
  MAGIC,
  PREAMBLE,
  PREAMBLE_BYTES,
  SECTION_ALIGN,
  SECTION_NAMES,
  SECTION_RECORD_BYTES,
  SIGNATURE,
} from "./layout.ts";

export function checkVersion(what: string, needed: number, read: number): void {
  if (needed === read) return;
  const remedy = needed > read ? "update mote-runtime" : "pack the model again with this release";
  throw new MoteError("VERSION", `The model needs ${what} ${needed}, this runtime reads ${read}: ${remedy}.`);
}

export function equal(at: string, got: number, expected: number): void {
  if (got !== expected) badModel(at, expected, got);
}

export type Sections = readonly [header: Uint8Array, image: Uint8Array, selfTest: Uint8Array, signature?: Uint8Array];

/** Views of the file's sections, after the preamble, their places and their checksums are found right. */
export function readSections(bytes: Uint8Array): Sections {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREAMBLE_BYTES || view.getUint32(PREAMBLE.magic, true) !== MAGIC)
    throw new MoteError("BAD_MODEL", `Not a .mote file: ${bytes.length} bytes that do not start with "MOTE".`);
  checkVersion("format", view.getUint16(PREAMBLE.version, true), FORMAT_VERSION);
  equal("preamble CRC", view.getUint32(PREAMBLE.crc, true), crc32c(bytes.subarray(0, PREAMBLE.crc)));
  equal("preamble size", view.getUint16(PREAMBLE.preambleBytes, true), PREAMBLE_BYTES);
  equal("file size", bytes.length, view.getUint32(PREAMBLE.fileBytes, true));
  let end = PREAMBLE_BYTES;
  const sections: Uint8Array[] = [];
  for (const [i, name] of SECTION_NAMES.entries()) {
    const record = PREAMBLE.sections + i * SECTION_RECORD_BYTES;
    const [offset, length, crc] = [0, 4, 8].map((field) => view.getUint32(record + field, true));
    if (name === "signature") {
      if (!offset && !length && !crc) break;
      equal("signature bytes", length!, SIGNATURE.bytes);
    }
    const start = Math.ceil(end / SECTION_ALIGN) * SECTION_ALIGN;
    equal(`${name} offset`, offset!, start);
    if (start + length! > bytes.length) badModel(`${name} end`, `at most ${bytes.length}`, start + length!);
    for (; end < start; end++) equal(`byte ${end}, between sections,`, bytes[end]!, 0);
    end += length!;
    const section = bytes.subarray(start, end);
    equal(`${name} CRC`, crc!, crc32c(section));
    sections.push(section);
  }
  equal("end of the last section", end, bytes.length);
  return sections as unknown as Sections;
}
