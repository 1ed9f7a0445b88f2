// How many bytes each function of a WebAssembly module takes, by the name that the compiler gave it.
// Invariant: the module was compiled with names (asc's `debug`); a function without one is listed by its index.

/** Reads the parts of a module that matter here: LEB128 numbers, names, sections. */
class Cursor {
  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  text(): string {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

const CUSTOM = 0;
const CODE = 10;
const FUNCTION_NAMES = 1;

/** [name, bytes of its body], in the module's order. The module must import no function. */
export function functionSizes(bytes: Uint8Array): [name: string, size: number][] {
  const cursor = new Cursor(bytes, 8);
  const sizes: number[] = [];
  const names = new Map<number, string>();
  while (cursor.at < bytes.length) {
    const section = cursor.number();
    const length = cursor.number();
    const end = cursor.at + length;
    if (section === CODE) {
      for (let count = cursor.number(); count > 0; count--) {
        const size = cursor.number();
        sizes.push(size);
        cursor.at += size;
      }
    } else if (section === CUSTOM && cursor.text() === "name") {
      while (cursor.at < end) {
        const kind = cursor.number();
        const kindEnd = cursor.number() + cursor.at;
        if (kind === FUNCTION_NAMES)
          for (let count = cursor.number(); count > 0; count--) {
            const index = cursor.number();
            names.set(index, cursor.text());
          }
        cursor.at = kindEnd;
      }
    }
    cursor.at = end;
  }
  return sizes.map((size, index) => [names.get(index) ?? `#${index}`, size]);
}
