// ONNX tensors to arrays of numbers: every element type in its raw, packed and external form.
// Invariant: nothing is allocated before the file is seen to hold as many elements as the dimensions claim.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, normalize, resolve } from "node:path";
import { ToolError } from "../../errors.ts";
import type { FileTensor } from "./file.ts";

/** ONNX's element types by number. */
export const TYPE = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
  uint2: 25,
  int2: 26,
} as const;

const NAMES = new Map<number, string>(Object.entries(TYPE).map(([name, code]) => [code, name]));

export function typeName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

export const isFloatType = (type: number): boolean =>
  type === TYPE.float || type === TYPE.float16 || type === TYPE.double || type === TYPE.bfloat16;

/** Bits and signedness of an integer type; bool counts as one unsigned bit. */
export const INTEGERS: ReadonlyMap<number, { readonly bits: number; readonly signed: boolean }> = new Map([
  [TYPE.uint8, { bits: 8, signed: false }],
  [TYPE.int8, { bits: 8, signed: true }],
  [TYPE.uint16, { bits: 16, signed: false }],
  [TYPE.int16, { bits: 16, signed: true }],
  [TYPE.int32, { bits: 32, signed: true }],
  [TYPE.int64, { bits: 64, signed: true }],
  [TYPE.bool, { bits: 1, signed: false }],
  [TYPE.uint32, { bits: 32, signed: false }],
  [TYPE.uint64, { bits: 64, signed: false }],
  [TYPE.uint4, { bits: 4, signed: false }],
  [TYPE.int4, { bits: 4, signed: true }],
  [TYPE.uint2, { bits: 2, signed: false }],
  [TYPE.int2, { bits: 2, signed: true }],
]);

/** Numbers of a tensor: float32 for real types, doubles (whole) for integers. */
export interface Numbers {
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

const MOST_ELEMENTS = 2 ** 28;

export function shapeCount(shape: readonly number[], what: string): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0 || size > MOST_ELEMENTS) {
      throw new ToolError(
        "BAD_FILE",
        `${what} has the shape [${shape}]; a dimension is a whole number of at most ${MOST_ELEMENTS}.`,
      );
    }
    count *= size;
    if (count > MOST_ELEMENTS)
      throw new ToolError(
        "BAD_FILE",
        `${what} of shape [${shape}] has over ${MOST_ELEMENTS} elements; the file claims more than can be run.`,
      );
  }
  return count;
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const BITS = new DataView(new ArrayBuffer(4));
function brainHalf(bits: number): number {
  BITS.setUint32(0, bits << 16);
  return BITS.getFloat32(0);
}

function bitsOf(type: number): number {
  if (type === TYPE.double) return 64;
  if (type === TYPE.float) return 32;
  if (type === TYPE.float16 || type === TYPE.bfloat16) return 16;
  if (type === TYPE.bool) return 8;
  return INTEGERS.get(type)?.bits ?? 0;
}

/** `folder`: where the model lies, for external data; undefined where it is not a file. */
export function numbersOf(tensor: FileTensor, what: string, folder?: string): Numbers {
  const { dataType: type, dims: shape } = tensor;
  const bits = bitsOf(type);
  if (bits === 0)
    throw new ToolError(
      "UNSUPPORTED",
      `${what} holds ${typeName(type)}; tensors of numbers are read, of at most 64 bits an element.`,
    );
  const count = shapeCount(shape, what);
  const isReal = isFloatType(type);
  const raw =
    tensor.dataLocation === 1 ? external(tensor, Math.ceil((count * bits) / 8), what, folder) : tensor.rawData;
  if (raw.length === 0 && count > 0) {
    const packed = packedOf(tensor, type);
    const values = bits < 8 ? Math.ceil((count * bits) / 8) : count;
    if (packed.length !== values) throw wrongSize(what, shape, `${packed.length} values`, values);
    if (bits < 8) return { type, shape, data: nibbles(Uint8Array.from(packed), count, type) };
    const convert = type === TYPE.float16 ? half : type === TYPE.bfloat16 ? brainHalf : (value: number) => value;
    return { type, shape, data: isReal ? Float32Array.from(packed, convert) : Float64Array.from(packed) };
  }
  if (raw.length !== Math.ceil((count * bits) / 8))
    throw wrongSize(what, shape, `${raw.length} bytes`, Math.ceil((count * bits) / 8));
  if (bits < 8) return { type, shape, data: nibbles(raw, count, type) };
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const out = isReal ? new Float32Array(count) : new Float64Array(count);
  const read = reader(view, type);
  for (let i = 0; i < count; i++) out[i] = read(i);
  return { type, shape, data: out };
}

function wrongSize(what: string, shape: readonly number[], got: string, expected: number): ToolError {
  return new ToolError(
    "BAD_FILE",
    `${what} of shape [${shape}] has ${got}, expected ${expected}; the file is damaged, export it again.`,
  );
}

function packedOf(tensor: FileTensor, type: number): readonly number[] {
  if (type === TYPE.float) return tensor.floatData;
  if (type === TYPE.double) return tensor.doubleData;
  if (type === TYPE.int64) return tensor.int64Data;
  if (type === TYPE.uint64 || type === TYPE.uint32) return tensor.uint64Data;
  return tensor.int32Data;
}

function reader(view: DataView, type: number): (i: number) => number {
  switch (type) {
    case TYPE.float:
      return (i) => view.getFloat32(4 * i, true);
    case TYPE.double:
      return (i) => view.getFloat64(8 * i, true);
    case TYPE.float16:
      return (i) => half(view.getUint16(2 * i, true));
    case TYPE.bfloat16:
      return (i) => brainHalf(view.getUint16(2 * i, true));
    case TYPE.int8:
      return (i) => view.getInt8(i);
    case TYPE.int16:
      return (i) => view.getInt16(2 * i, true);
    case TYPE.uint16:
      return (i) => view.getUint16(2 * i, true);
    case TYPE.int32:
      return (i) => view.getInt32(4 * i, true);
    case TYPE.uint32:
      return (i) => view.getUint32(4 * i, true);
    case TYPE.int64:
      return (i) => Number(view.getBigInt64(8 * i, true));
    case TYPE.uint64:
      return (i) => Number(view.getBigUint64(8 * i, true));
    default:
      return (i) => view.getUint8(i);
  }
}

/** Elements of two or four bits, the first in the low bits. */
function nibbles(bytes: Uint8Array, count: number, type: number): Float64Array {
  const { bits, signed } = INTEGERS.get(type)!;
  const each = 8 / bits;
  return Float64Array.from({ length: count }, (_, i) => {
    const code = (bytes[Math.floor(i / each)]! >> ((i % each) * bits)) & ((1 << bits) - 1);
    return signed && code >= 1 << (bits - 1) ? code - (1 << bits) : code;
  });
}

/** The tensor's bytes in another file, which must lie in the model's folder. */
function external(tensor: FileTensor, bytes: number, what: string, folder: string | undefined): Uint8Array {
  const field = (key: string): string | undefined => tensor.externalData.find((entry) => entry.key === key)?.value;
  const location = field("location") ?? "";
  const plain = normalize(location);
  if (location === "" || isAbsolute(location) || plain.startsWith("..") || location.includes("\0")) {
    throw new ToolError(
      "BAD_FILE",
      `${what} says that its data lies in "${location}"; it must be a file beside the model or below it.`,
    );
  }
  if (folder === undefined) {
    throw new ToolError(
      "BAD_FILE",
      `${what} has its data in ${basename(location)}, which cannot be read from memory; import the model from its file.`,
    );
  }
  const path = resolve(folder, plain);
  const offset = Number(field("offset") ?? 0);
  const length = Number(field("length") ?? bytes);
  if (length !== bytes || !Number.isSafeInteger(offset) || offset < 0) {
    throw wrongSize(what, tensor.dims, `${length} bytes at ${offset} of ${basename(location)}`, bytes);
  }
  let file: number;
  try {
    if (statSync(path).size < offset + bytes)
      throw new ToolError("BAD_FILE", `${basename(path)} ends before ${what} does; copy the data file again.`);
    file = openSync(path, "r");
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw new ToolError(
      "BAD_FILE",
      `${what} has its data in ${plain}, which cannot be read; put it beside the model.`,
      { cause: error },
    );
  }
  try {
    const data = new Uint8Array(bytes);
    readSync(file, data, 0, bytes, offset);
    return data;
  } finally {
    closeSync(file);
  }
}

export const folderOf = (path: string): string => dirname(resolve(path));
