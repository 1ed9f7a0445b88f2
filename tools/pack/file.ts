// Writes a .mote file (host/format/layout.ts draws it). Invariant: the same content gives the same
// bytes, whatever the order of keys; and what is written here, readModel accepts.
import { Packr } from "msgpackr/pack";
import { crc32c } from "../../host/format/crc32c.ts";
import type { Header } from "../../host/format/header.ts";
import {
  FORMAT_VERSION,
  MAGIC,
  PREAMBLE,
  PREAMBLE_BYTES,
  SECTION_ALIGN,
  SECTION_RECORD_BYTES,
} from "../../host/format/layout.ts";
import { readModel } from "../../host/format/reader.ts";
import type { Sections } from "../../host/format/sections.ts";

export interface ModelContent {
  readonly header: Header;
  /** plan, io records, steps and params, as assembly/abi.ts draws them */
  readonly image: Uint8Array;
  /** storage bytes of one set of inputs and of the outputs that they must give, in port order */
  readonly selfTest: { readonly inputs: readonly Uint8Array[]; readonly outputs: readonly Uint8Array[] };
}

/** A copy with every map's keys in code-unit order and absent fields left out. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}

/** `value` as msgpack: smallest integers, every other number a float64, no extensions. */
export function encodeHeader(value: unknown): Uint8Array {
  // a new Packr each time: nothing learnt from one file may reach the next
  return Uint8Array.from(new Packr({ useRecords: false, variableMapSize: true }).pack(sorted(value)));
}

/** Lays the sections out behind a preamble; checks nothing. */
export function joinSections(sections: Sections): Uint8Array {
  const offsets: number[] = [];
  let end = PREAMBLE_BYTES;
  const present = sections.filter((section) => section !== undefined);
  for (const section of present) {
    const offset = Math.ceil(end / SECTION_ALIGN) * SECTION_ALIGN;
    offsets.push(offset);
    end = offset + section.length;
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  view.setUint32(PREAMBLE.magic, MAGIC, true);
  view.setUint16(PREAMBLE.version, FORMAT_VERSION, true);
  view.setUint16(PREAMBLE.preambleBytes, PREAMBLE_BYTES, true);
  view.setUint32(PREAMBLE.fileBytes, end, true);
  present.forEach((section, i) => {
    const record = PREAMBLE.sections + i * SECTION_RECORD_BYTES;
    view.setUint32(record, offsets[i]!, true);
    view.setUint32(record + 4, section.length, true);
    view.setUint32(record + 8, crc32c(section), true);
    file.set(section, offsets[i]!);
  });
  view.setUint32(PREAMBLE.crc, crc32c(file.subarray(0, PREAMBLE.crc)), true);
  return file;
}

/** The bytes of a .mote file. Throws MoteError BAD_MODEL, naming the field, when the content does not fit together. */
export function writeModel({ header, image, selfTest }: ModelContent): Uint8Array {
  const vectors = [...selfTest.inputs, ...selfTest.outputs];
  const joined = new Uint8Array(vectors.reduce((bytes, vector) => bytes + vector.length, 0));
  let at = 0;
  for (const vector of vectors) {
    joined.set(vector, at);
    at += vector.length;
  }
  const file = joinSections([encodeHeader(header), image, joined]);
  readModel(file);
  return file;
}
