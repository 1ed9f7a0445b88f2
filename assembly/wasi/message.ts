// The one sentence that says what went wrong. Invariant: never longer than its buffer, always ends in a zero
// byte, and is composed before anything is printed, so that it comes out in one write.

import { Exit } from "./exit";
import { STDERR } from "./preview1";
import { writeAll } from "./streams";

const ROOM: usize = 256;
/** "mote: " before the sentence, for the line that a command prints. */
const PREFIX_BYTES: usize = 6;
const line: usize = memory.data(264, 4);
/** The sentence, a C string; empty while nothing went wrong. */
export const message: usize = line + 8;
let end: usize = message;

function put(byte: u8): void {
  if (end < message + ROOM - 1) store<u8>(end++, byte);
  store<u8>(end, 0);
}

function putText(text: usize): void {
  for (let byte = load<u8>(text); byte != 0; byte = load<u8>(++text)) put(byte);
}

function putNumber(value: u32): void {
  if (value >= 10) putNumber(value / 10);
  put(<u8>(48 + (value % 10)));
}

/** Prints the sentence as a line of its own. That it cannot be said is no failure of its own. */
export function printLine(): void {
  const start = message - PREFIX_BYTES;
  memory.copy(start, ascii("mote: "), PREFIX_BYTES);
  store<u8>(end, 10);
  writeAll(STDERR, start, <u32>(end + 1 - start), start);
}

/** Forgets what was said. */
export function clear(): void {
  end = message;
  store<u8>(end, 0);
}

/**
 * Says `text` with `%` as the numbers `a`, then `b`, and `$` as the C string `name`, and returns `code`.
 * What was said before is kept: the first fault is the cause of the others.
 */
export function fail(code: Exit, text: usize, a: u32 = 0, b: u32 = 0, name: usize = 0): Exit {
  if (end != message) return code;
  for (let byte = load<u8>(text); byte != 0; byte = load<u8>(++text)) {
    if (byte == 37) {
      putNumber(a);
      a = b;
    } else if (byte == 36) putText(name);
    else put(byte);
  }
  return code;
}
