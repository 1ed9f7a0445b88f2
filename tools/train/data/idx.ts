// IDX, the format of the MNIST files. Invariant: any bytes give an array that fits its shape, or ToolError BAD_FILE.
//
//   0 0 │ type: 8 = uint8, 9 = int8, 11 = int16, 12 = int32, 13 = float32, 14 = float64 │ rank │ rank × u32 │ values, big-endian

import { gunzipSync } from "node:zlib";
import { ToolError } from "../../errors.ts";

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const READERS: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  8: [1, (view, at) => view.getUint8(at)],
  9: [1, (view, at) => view.getInt8(at)],
  11: [2, (view, at) => view.getInt16(at)],
  12: [4, (view, at) => view.getInt32(at)],
  13: [4, (view, at) => view.getFloat32(at)],
  14: [8, (view, at) => view.getFloat64(at)],
};

/** `bytes` may be compressed by gzip. */
export function readIdx(bytes: Uint8Array, name: string): IdxArray {
  const bad = (what: string): ToolError => new ToolError("BAD_FILE", `${name} ${what}; fetch it again.`);
  let plain = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes);
    } catch {
      throw bad("is damaged: gzip cannot unpack it");
    }
  }
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const reader = READERS[plain[2] ?? 0];
  if (plain.length < 4 || plain[0] !== 0 || plain[1] !== 0 || !reader) throw bad("is not an IDX file");
  const rank = plain[3]!;
  if (plain.length < 4 + rank * 4) throw bad("ends inside its header");
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + i * 4));
  const count = shape.reduce((product, size) => product * size, 1);
  const [size, read] = reader;
  const at = 4 + rank * 4;
  if (plain.length !== at + count * size)
    throw bad(`says [${shape}], ${count * size} bytes of values, but has ${plain.length - at}`);
  return { shape, data: Float64Array.from({ length: count }, (_, i) => read(view, at + i * size)) };
}
