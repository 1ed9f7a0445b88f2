// The byte layout of a .mote file. Shared by the reader (host/format/reader.ts) and the writer
// (tools/pack/file.ts). Invariant: little-endian; sections are 64-byte aligned, in this order,
// do not overlap, and end where the file ends.
//
//   ┌ 0   magic "MOTE" │ u16 format version │ u16 preamble bytes (64) │ u32 file bytes
//   │ 12  header   : u32 offset, u32 bytes, u32 CRC-32C
//   │ 24  image    : u32 offset, u32 bytes, u32 CRC-32C
//   │ 36  self-test: u32 offset, u32 bytes, u32 CRC-32C
//   │ 48  u32 × 3 zero (kept for a signature)
//   └ 60  u32 CRC-32C of bytes 0 … 59
//   header    msgpack map, see header.ts
//   image     plan, io records, params: copied verbatim to the core (assembly/abi.ts draws it)
//   self-test the storage bytes of one input set, then of the outputs it must give

export const MAGIC = 0x45544f4d;
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 64;
export const SECTION_ALIGN = 64;
/** Byte offsets inside the preamble. */
export const PREAMBLE = { magic: 0, version: 4, preambleBytes: 6, fileBytes: 8, sections: 12, crc: 60 } as const;
export const SECTION_NAMES = ["header", "image", "self-test"] as const;
export const SECTION_RECORD_BYTES = 12;
