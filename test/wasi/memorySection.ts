// A WASI module as it would be on a small device: with a most that its memory may ever have, which every engine keeps to.
// Invariant: nothing else of the module changes.

const MEMORY_SECTION = 5;
const HEADER_BYTES = 8;

/** An unsigned LEB128 number at `at`: its value, and where it ends. */
function number(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

function encoded(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...encoded(Math.floor(value / 128))];
}

interface Place {
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

function memorySection(module: Uint8Array): Place {
  for (let at = HEADER_BYTES; at < module.length; ) {
    const [size, body] = number(module, at + 1);
    if (module[at] === MEMORY_SECTION) return { start: at, body, end: body + size };
    at = body + size;
  }
  throw new Error("the module has no memory of its own");
}

/** Pages of 64 KiB that the memory has at first, and at most if the module says. */
export function memoryPages(module: Uint8Array): { readonly first: number; readonly most?: number } {
  const { body } = memorySection(module);
  const [first, next] = number(module, body + 2);
  return module[body + 1] === 0 ? { first } : { first, most: number(module, next)[0] };
}

/** `module` with a memory of at most `pages` pages. */
export function withMostPages(module: Uint8Array, pages: number): Uint8Array {
  const { start, end } = memorySection(module);
  const body = [1, 1, ...encoded(memoryPages(module).first), ...encoded(pages)];
  return Buffer.concat([
    module.subarray(0, start),
    Uint8Array.of(MEMORY_SECTION, ...encoded(body.length), ...body),
    module.subarray(end),
  ]);
}
