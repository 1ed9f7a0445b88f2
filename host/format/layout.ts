// The byte layout of a .mote file. Shared by the reader (host/format/reader.ts) and the writer
// (tools/pack/file.ts). Invariant: little-endian; sections are 64-byte aligned, in this order,
// do not overlap, and end where the file ends.
//
//   ┌ 0   magic "MOTE" │ u16 format version │ u16 preamble bytes (64) │ u32 file bytes
//   │ 12  header   : u32 offset, u32 bytes, u32 CRC-32C
//   │ 24  image    : u32 offset, u32 bytes, u32 CRC-32C
//   │ 36  self-test: u32 offset, u32 bytes, u32 CRC-32C
//   │ 48  signature: u32 offset, u32 bytes, u32 CRC-32C; all zero in a file that is not signed
//   └ 60  u32 CRC-32C of bytes 0 … 59
//   header    msgpack map, see header.ts
//   image     plan, io records, params: copied verbatim to the core (assembly/abi.ts draws it)
//   self-test the storage bytes of one input set, then of the outputs it must give
//   signature (224 B, may be absent):
//   ┌ 0   SHA-256 of the preamble's bytes 0 … 47: version, sizes and places
//   │ 32  SHA-256 of the header │ 64 of the image │ 96 of the self-test
//   │ 128 the signer's Ed25519 public key, 32 B
//   └ 160 Ed25519 signature, 64 B, of SIGNATURE_CONTEXT and bytes 0 … 159
//   Between sections lie zeros; so every byte of a signed file is either signed or follows from what is.

export const MAGIC = 0x45544f4d;
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 64;
export const SECTION_ALIGN = 64;
/** Byte offsets inside the preamble. */
export const PREAMBLE = { magic: 0, version: 4, preambleBytes: 6, fileBytes: 8, sections: 12, crc: 60 } as const;
/** The last one may be absent. */
export const SECTION_NAMES = ["header", "image", "self-test", "signature"] as const;
export const SECTION_RECORD_BYTES = 12;
/** Byte offsets inside the signature section; `preamble` bytes of the file's start are hashed. */
export const SIGNATURE = { hashes: 0, publicKey: 128, signature: 160, bytes: 224, preamble: 48 } as const;
/** Goes before what is signed, so that no signature made for something else fits. */
export const SIGNATURE_CONTEXT = "mote model signature 1\n";
