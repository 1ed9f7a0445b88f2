// The data of constant tensors: stored bytes → typed arrays in the graph's dtypes.
// Invariant: an array's length is its tensor's element count, and no array aliases the file's bytes,
// which may be unaligned and may be changed by their owner.

import type { Coding, DType, TensorData } from "../../graph/graph.ts";
import { damaged, type FileTensor, quoted, type TfliteFile } from "./file.ts";
import { TensorType } from "./generated/tflite.ts";

interface Storage {
  readonly dtype: DType;
  readonly bits: number;
  /** `bytes` is the whole of its buffer, so any element type is aligned. */
  view(bytes: Uint8Array): TensorData;
}

/** Two's-complement nibbles, the low one first; widened to one byte each. */
function nibbles(bytes: Uint8Array): Int8Array {
  const wide = new Int8Array(bytes.length * 2);
  bytes.forEach((byte, i) => {
    wide[2 * i] = (byte << 28) >> 28;
    wide[2 * i + 1] = (byte << 24) >> 28;
  });
  return wide;
}

/** IEEE half precision, low byte first. */
function halves(bytes: Uint8Array): Float32Array {
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => {
    const half = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1024 + fraction) * 2 ** (exponent - 25);
    return half & 0x8000 ? -size : size;
  });
}

const STORAGE: ReadonlyMap<TensorType, Storage> = new Map<TensorType, Storage>([
  [TensorType.FLOAT32, { dtype: "float32", bits: 32, view: (bytes) => new Float32Array(bytes.buffer) }],
  [TensorType.FLOAT16, { dtype: "float32", bits: 16, view: halves }],
  [TensorType.INT32, { dtype: "int32", bits: 32, view: (bytes) => new Int32Array(bytes.buffer) }],
  [TensorType.UINT8, { dtype: "uint8", bits: 8, view: (bytes) => new Uint8Array(bytes.buffer) }],
  [TensorType.INT64, { dtype: "int64", bits: 64, view: (bytes) => new BigInt64Array(bytes.buffer) }],
  [TensorType.BOOL, { dtype: "bool", bits: 8, view: (bytes) => new Uint8Array(bytes.buffer) }],
  [TensorType.INT16, { dtype: "int16", bits: 16, view: (bytes) => new Int16Array(bytes.buffer) }],
  [TensorType.INT8, { dtype: "int8", bits: 8, view: (bytes) => new Int8Array(bytes.buffer) }],
  [TensorType.INT4, { dtype: "int8", bits: 4, view: nibbles }],
]);

/** The graph's dtype of a stored type; undefined when it has none (float64, string, …). */
export function graphDtype(type: TensorType): DType | undefined {
  return STORAGE.get(type)?.dtype;
}

/** How few values a stored type has, where they are fewer than its dtype's. */
export function graphCoding(type: TensorType): Coding | undefined {
  return type === TensorType.INT4 ? "int4" : undefined;
}

/** The name of a stored type, e.g. "float16". */
export function typeName(type: TensorType): string {
  return TensorType[type]?.toLowerCase() ?? `type ${type}`;
}

/** Caches by stored bytes, so that tensors that share a buffer share the array. */
export class Constants {
  readonly #file: TfliteFile;
  readonly #cache = new Map<string, TensorData>();
  /** Sound files copy each byte once; a hostile one could overlap its buffers to exhaust memory. */
  #bytesLeft: number;

  constructor(file: TfliteFile) {
    this.#file = file;
    this.#bytesLeft = file.size * 4;
  }

  /** `count` is the tensor's element count. */
  data(tensor: FileTensor, count: number): TensorData | undefined {
    const storage = STORAGE.get(tensor.type);
    if (tensor.bytes === undefined || storage === undefined) return undefined;
    const wanted = Math.ceil((count * storage.bits) / 8);
    if (tensor.bytes.length !== wanted) {
      throw damaged(
        this.#file.name,
        `tensor ${quoted(tensor.name)} of type ${typeName(tensor.type)} and shape [${tensor.shape}] has ${tensor.bytes.length} bytes of data, expected ${wanted}`,
      );
    }
    const key = `${tensor.bytes.byteOffset} ${wanted} ${tensor.type} ${count}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    this.#bytesLeft -= wanted;
    if (this.#bytesLeft < 0) throw damaged(this.#file.name, "its constants overlap");
    const whole = storage.view(new Uint8Array(tensor.bytes));
    const data = whole.length === count ? whole : whole.subarray(0, count);
    this.#cache.set(key, data);
    return data;
  }
}
