// Decodes the header section: msgpack narrowed to what JSON can say, by a scan before the decoder.
// Invariant: msgpackr never sees an extension (records compile functions, references make cycles,
// bundled strings multiply), a length that the bytes do not hold, a key that is not a string, or
// deep nesting; so decoding takes time and memory linear in the bytes. Called by reader.ts only.
import { Unpackr } from "msgpackr/unpack";

const MAX_DEPTH = 8;

/** Bytes that the first value takes. A length that runs past the end is found by the next read or the caller. */
function scan(bytes: Uint8Array): number {
  let at = 0;
  const unsigned = (width: number): number => {
    let value = 0;
    while (width-- > 0) value = value * 256 + (bytes[at++] ?? 0);
    return value;
  };
  const values = (count: number, keyed: boolean, depth: number): void => {
    for (let i = 0; i < count; i++) {
      if (keyed) value(depth, true);
      value(depth, false);
    }
  };
  const value = (depth: number, key: boolean): void => {
    const token = bytes[at++];
    if (token === undefined || depth > MAX_DEPTH) throw new Error("it is cut short or nested too deep");
    if (token >> 5 === 5) at += token & 31;
    else if (token >= 0xd9 && token <= 0xdb) {
      // not in one expression: `unsigned` itself moves `at`
      const length = unsigned(1 << (token - 0xd9));
      at += length;
    } else if (key) throw new Error("a key is not a string");
    else if (token >> 4 === 8) values(token & 15, true, depth + 1);
    else if (token >> 4 === 9) values(token & 15, false, depth + 1);
    else if (token >= 0xdc && token <= 0xdf) values(unsigned(token & 1 ? 4 : 2), token > 0xdd, depth + 1);
    else if (token === 0xca || token === 0xcb) at += token & 1 ? 8 : 4;
    else if ((token >= 0xcc && token <= 0xce) || (token >= 0xd0 && token <= 0xd2)) at += 1 << (token & 3);
    else if ((token >= 0xc4 && token <= 0xd8) || token === 0xc1) throw new Error(`it holds type ${token}`);
  };
  value(0, false);
  return at;
}

/** The value that `bytes` hold: null, booleans, numbers, strings, arrays and plain objects only; or an Error. */
export function decodeHeader(bytes: Uint8Array): unknown {
  if (scan(bytes) !== bytes.length) throw new Error("its length is wrong");
  return new Unpackr({ useRecords: false }).unpack(bytes) as unknown;
}
