// Decodes the header section: msgpack narrowed to what JSON can say, in one pass over the bytes.
// Invariant: no extension, binary, 64-bit integer, key that is not a string or deep nesting gets through,
// and every value takes at least a byte; so decoding takes time and memory linear in the bytes, and what
// comes out is plain data. Called by reader.ts only.

const MAX_DEPTH = 8;

/** The value that `bytes` hold: null, booleans, numbers, strings, arrays and plain objects only; or an Error. */
export function decodeHeader(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let at = 0;
  const take = (width: number): number => {
    at += width;
    return at - width;
  };
  /** a big-endian count or length of 1, 2 or 4 bytes */
  const unsigned = (width: number): number => {
    const from = take(width);
    return width === 1 ? view.getUint8(from) : width === 2 ? view.getUint16(from) : view.getUint32(from);
  };
  // a text that runs past the end is shortened here, and then found by the next read or by the length
  const text = (length: number): string => utf8.decode(bytes.subarray(take(length), at));
  const list = (count: number, depth: number): unknown[] => {
    const items: unknown[] = [];
    while (count-- > 0) items.push(value(depth));
    return items;
  };
  const map = (count: number, depth: number): unknown => {
    const entries: [string, unknown][] = [];
    while (count-- > 0) entries.push([value(depth, true) as string, value(depth)]);
    // defines fields: a key of "__proto__" is data, like any other
    return Object.fromEntries(entries);
  };
  const value = (depth: number, key = false): unknown => {
    const token = bytes[at++];
    if (token === undefined || depth > MAX_DEPTH) throw new Error("it is cut short or nested too deep");
    if (token >> 5 === 5) return text(token & 31);
    if (token >= 0xd9 && token <= 0xdb) return text(unsigned(1 << (token - 0xd9)));
    if (key) throw new Error("a key is not a string");
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 256;
    if (token < 0x90) return map(token & 15, depth + 1);
    if (token < 0xa0) return list(token & 15, depth + 1);
    if (token >= 0xde) return map(unsigned(token & 1 ? 4 : 2), depth + 1);
    if (token >= 0xdc) return list(unsigned(token & 1 ? 4 : 2), depth + 1);
    if (token === 0xc0) return null;
    if (token === 0xc2 || token === 0xc3) return token === 0xc3;
    if (token === 0xca) return view.getFloat32(take(4));
    if (token === 0xcb) return view.getFloat64(take(8));
    if (token >= 0xcc && token <= 0xce) return unsigned(1 << (token & 3));
    if (token === 0xd0) return view.getInt8(take(1));
    if (token === 0xd1) return view.getInt16(take(2));
    if (token === 0xd2) return view.getInt32(take(4));
    throw new Error(`it holds type ${token}`);
  };
  const decoded = value(0);
  if (at !== bytes.length) throw new Error("its length is wrong");
  return decoded;
}
