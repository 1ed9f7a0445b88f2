// What an input file holds, told from its first bytes. Invariant: the name decides only for what has no
// signature of its own, raw bytes.

export type FileKind = "png" | "jpeg" | "wav" | "npy" | "raw";

const SIGNATURES: readonly (readonly [kind: FileKind, bytes: readonly number[]])[] = [
  ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["jpeg", [0xff, 0xd8, 0xff]],
  ["wav", [...Buffer.from("RIFF")]],
  ["npy", [0x93, ...Buffer.from("NUMPY")]],
];

/** Undefined where the bytes have no known signature and the name does not end in `.bin`. */
export function fileKind(bytes: Uint8Array, name: string): FileKind | undefined {
  if (/\.bin$/i.test(name)) return "raw";
  return SIGNATURES.find(([, signature]) => signature.every((byte, i) => bytes[i] === byte))?.[0];
}
