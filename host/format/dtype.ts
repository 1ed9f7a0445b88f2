// The five dtypes of a port: their typed arrays and, for the integers, their range.
// Invariant: `array` holds the bytes of the core's memory as they are (wasm and every host are little-endian).
import type { InterfaceDType } from "./header.ts";

export type TensorArray = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

export interface DTypeInfo {
  readonly array: new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TensorArray;
  readonly bytes: number;
  /** least and greatest storable integer; 0 for float32, whose zero point is 0 */
  readonly min: number;
  readonly max: number;
}

const info = (array: DTypeInfo["array"], bytes: number, min: number, max: number): DTypeInfo => ({
  array,
  bytes,
  min,
  max,
});

export const DTYPES: Readonly<Record<InterfaceDType, DTypeInfo>> = {
  int8: info(Int8Array, 1, -128, 127),
  uint8: info(Uint8Array, 1, 0, 255),
  int16: info(Int16Array, 2, -32768, 32767),
  int32: info(Int32Array, 4, -(2 ** 31), 2 ** 31 - 1),
  float32: info(Float32Array, 4, 0, 0),
};
