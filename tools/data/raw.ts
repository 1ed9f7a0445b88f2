// Raw little-endian elements, without any header. Invariant: the bytes are neither scaled nor converted,
// and their count is exactly that of the port.

import { DTYPES, type TensorArray } from "../../host/format/dtype.ts";
import type { InterfaceDType } from "../../host/format/header.ts";
import { ToolError } from "../errors.ts";

/** `count` elements of `dtype`; throws ToolError BAD_INPUT when the file has another length. */
export function readRaw(bytes: Uint8Array, name: string, dtype: InterfaceDType, count: number): TensorArray {
  const { array, bytes: size } = DTYPES[dtype];
  if (bytes.length !== count * size) {
    throw new ToolError(
      "BAD_INPUT",
      `${name} must hold ${count * size} bytes (${count} ${dtype} elements), got ${bytes.length}.`,
    );
  }
  // a copy, because a view of the file's buffer may not be aligned
  return new array(Uint8Array.from(bytes).buffer);
}

/** The bytes of an array as they go into a raw file. */
export function rawBytes({ buffer, byteOffset, byteLength }: TensorArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
