// Reading and writing descriptors whole. Invariant: an interrupted or partial transfer goes on; anything
// else that the engine answers is told with its errno.

import { Exit } from "./exit";
import { fail } from "./message";
import { Errno, fdRead, fdWrite } from "./preview1";

/** { u32 address, u32 bytes }, then where the engine says how many it moved. */
const vector: usize = memory.data(12, 4);

/** Bytes that the last `readUpTo` read. */
export let got: u32 = 0;

const mayTryAgain = (errno: i32): bool => errno == Errno.Again || errno == Errno.Interrupted;

/** Reads until `bytes` are there or the stream ends; `got` says how many. `what` is a C string for the message. */
export function readUpTo(fd: i32, at: usize, bytes: u32, what: usize): Exit {
  got = 0;
  while (got < bytes) {
    store<u32>(vector, <u32>at + got);
    store<u32>(vector, bytes - got, 4);
    store<u32>(vector, 0, 8);
    const errno = fdRead(fd, vector, 1, vector + 8);
    if (mayTryAgain(errno)) continue;
    if (errno != 0) return fail(Exit.File, ascii("$ cannot be read: errno %"), errno, 0, what);
    const some = load<u32>(vector, 8);
    if (some == 0) break;
    got += some;
  }
  return Exit.Done;
}

/** Writes all. `what` is a C string for the message. */
export function writeAll(fd: i32, at: usize, bytes: u32, what: usize): Exit {
  while (bytes > 0) {
    store<u32>(vector, <u32>at);
    store<u32>(vector, bytes, 4);
    store<u32>(vector, 0, 8);
    const errno = fdWrite(fd, vector, 1, vector + 8);
    if (mayTryAgain(errno)) continue;
    const put = load<u32>(vector, 8);
    if (errno != 0 || put == 0) return fail(Exit.Output, ascii("$ cannot be written: errno %"), errno, 0, what);
    at += put;
    bytes -= put;
  }
  return Exit.Done;
}
