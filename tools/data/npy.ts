// NumPy's .npy, versions 1.0 and 2.0: a magic, a Python dictionary that says what follows, the elements.
// Invariant: any bytes give an array that fits its shape, or ToolError BAD_FILE; nothing is guessed.
//
//   0 "\x93NUMPY" │ 6 major, minor │ 8 header length: u16 (1.0) or u32 (2.0) │ {'descr': '<f4', 'fortran_order':
//   False, 'shape': (1, 28, 28), } padded with spaces, then \n │ elements, row-major

import type { TensorArray } from "../../host/format/dtype.ts";
import { ToolError } from "../errors.ts";

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: TensorArray;
}

const READERS = new Map<string, readonly [size: number, read: (elements: ArrayBuffer) => TensorArray]>([
  ["|i1", [1, (elements) => new Int8Array(elements)]],
  ["|u1", [1, (elements) => new Uint8Array(elements)]],
  ["<i2", [2, (elements) => new Int16Array(elements)]],
  ["<i4", [4, (elements) => new Int32Array(elements)]],
  ["<f4", [4, (elements) => new Float32Array(elements)]],
  ["<f8", [8, (elements) => Float32Array.from(new Float64Array(elements))]],
]);

const ENTRY = /\s*'(\w+)'\s*:\s*(?:'([^']*)'|(True|False)|\(([\d\s,]*)\))\s*(,|$)/y;

/** The dictionary's fields as text; undefined where it is not one of strings, booleans and tuples of integers. */
function parseDictionary(text: string): Map<string, string> | undefined {
  const body = /^\{(.*)\}\s*$/s.exec(text)?.[1]?.trimEnd();
  if (body === undefined) return undefined;
  const fields = new Map<string, string>();
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < body.length) {
    const match = ENTRY.exec(body);
    if (!match) return undefined;
    fields.set(match[1]!, match[2] ?? match[3] ?? match[4] ?? "");
  }
  return fields;
}

export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const bad = (what: string): never => {
    throw new ToolError("BAD_FILE", `${name} ${what}; write it again with numpy.save.`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== "\x93NUMPY") {
    bad("is not an .npy file");
  }
  const major = bytes[6]!;
  if ((major !== 1 && major !== 2) || bytes[7] !== 0) bad(`must be .npy version 1.0 or 2.0, got ${major}.${bytes[7]}`);
  const headerAt = major === 1 ? 10 : 12;
  const dataAt = headerAt + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataAt > bytes.length) bad("ends inside its header");
  const fields = parseDictionary(Buffer.from(bytes.subarray(headerAt, dataAt)).toString("latin1"));
  const [descr, order, shapeText] = ["descr", "fortran_order", "shape"].map((key) => fields?.get(key));
  if (descr === undefined || order === undefined || shapeText === undefined) {
    return bad("must say descr, fortran_order and shape in its header");
  }
  const reader = READERS.get(descr);
  if (!reader) {
    return bad(`has dtype ${descr}, expected one of ${[...READERS.keys()].join(" ")}: convert it with .astype`);
  }
  if (order !== "False") bad("is in Fortran order, expected C order: pass it through numpy.ascontiguousarray");
  const shape = shapeText
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const [size, read] = reader;
  const expected = shape.reduce((product, dimension) => product * dimension, size);
  if (!(expected === bytes.length - dataAt)) {
    bad(`must hold ${expected} bytes for ${descr} of shape (${shape.join(", ")}), got ${bytes.length - dataAt}`);
  }
  return { shape, data: read(Uint8Array.from(bytes.subarray(dataAt)).buffer) };
}
