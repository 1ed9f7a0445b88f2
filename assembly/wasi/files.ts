// Files by name, inside the folders that the engine gives ("preopened": `--dir` and the like).
// Invariant: a name is looked up in the folder whose own name is its longest beginning; what is written
// lies under a temporary name until `commit`, so that a reader sees the old file or the new one, whole.

import { Exit } from "./exit";
import { fail } from "./message";
import { Errno, fdClose, fdPrestatDirName, fdPrestatGet, FOLLOW_LINKS, OpenFlags, pathOpen, pathRename, Rights } from "./preview1";

const FIRST_FOLDER: i32 = 3;
const MOST_NAME: u32 = 256;
/** { u8 tag, u32 name bytes }, then the descriptor that was opened */
const answer: usize = memory.data(12, 4);
/** The name of a folder, or that of a file and the ending it has until `commit`. */
const name: usize = memory.data(256, 4);

/** The descriptor that `openFile` or `createFile` opened. */
export let opened: i32 = 0;

/** The folder and the rest of the name that `find` found. */
let folder: i32 = 0;
let rest: usize = 0;

export function textBytes(text: usize): u32 {
  let at = text;
  while (load<u8>(at) != 0) at++;
  return <u32>(at - text);
}

/** The name without "./" and "/" at its beginning. */
function bare(path: usize): usize {
  while (load<u8>(path) == 47 || (load<u8>(path) == 46 && load<u8>(path, 1) == 47)) path++;
  return path;
}

/** Bytes of `path` that the folder's bare name of `bytes` at `name` takes, with the slash; −1 where it is no beginning of it. */
function beginning(path: usize, bytes: u32): i32 {
  store<u8>(name + bytes, 0);
  const start = bare(name);
  let length = textBytes(start);
  while (length > 0 && load<u8>(start + length - 1) == 47) length--;
  if (length == 0 || (length == 1 && load<u8>(start) == 46)) return 0;
  for (let i: u32 = 0; i < length; i++) if (load<u8>(path + i) != load<u8>(start + i)) return -1;
  return load<u8>(path + length) == 47 ? <i32>length + 1 : -1;
}

/** Sets `folder` and `rest`; false where the engine gave no folder that could hold the file. */
function find(path: usize): bool {
  const wanted = bare(path);
  let longest = -1;
  for (let fd = FIRST_FOLDER; fdPrestatGet(fd, answer) == 0; fd++) {
    const bytes = load<u32>(answer, 4);
    if (load<u8>(answer) != 0 || bytes >= MOST_NAME || fdPrestatDirName(fd, name, bytes) != 0) continue;
    const length = beginning(wanted, bytes);
    if (length <= longest) continue;
    longest = length;
    folder = fd;
    rest = wanted + length;
  }
  return longest >= 0;
}

function open(path: usize, local: usize, flags: i32, rights: i64): Exit {
  const errno = pathOpen(folder, FOLLOW_LINKS, local, textBytes(local), flags, rights, 0, 0, answer + 8);
  if (errno == 0) {
    opened = load<i32>(answer, 8);
    return Exit.Done;
  }
  const code: Exit = flags == 0 ? Exit.File : Exit.Output;
  if (errno == Errno.NoEntry) return fail(code, ascii("$ does not exist"), 0, 0, path);
  if (errno == Errno.Acces || errno == Errno.NotCapable) return fail(code, ascii("$ may not be opened"), 0, 0, path);
  return fail(code, ascii("$ cannot be opened: errno %"), errno, 0, path);
}

function lost(code: Exit, path: usize): Exit {
  return fail(code, ascii("$ is in no folder that the engine gives: add its --dir or the like"), 0, 0, path);
}

/** Opens a file to read; a missing one is an error only where `must`, and else leaves `opened` −1. */
export function openFile(path: usize, must: bool = true): Exit {
  opened = -1;
  if (!find(path)) return lost(Exit.File, path);
  if (!must && pathOpen(folder, FOLLOW_LINKS, rest, textBytes(rest), 0, Rights.FdRead, 0, 0, answer + 8) == Errno.NoEntry)
    return Exit.Done;
  return open(path, rest, 0, Rights.FdRead);
}

/** `rest` with ".new" at its end, in `name`; false where it is too long. */
function temporary(): bool {
  const bytes = textBytes(rest);
  if (bytes + 5 > MOST_NAME) return false;
  memory.copy(name, rest, bytes);
  store<u32>(name + bytes, 0x77656e2e);
  store<u8>(name + bytes, 0, 4);
  return true;
}

/** Creates the file that `commit` will put in the place of `path`. */
export function createFile(path: usize): Exit {
  if (!find(path)) return lost(Exit.Output, path);
  if (!temporary()) return fail(Exit.Usage, ascii("$ is too long a name"), 0, 0, path);
  return open(path, name, OpenFlags.Create | OpenFlags.Truncate, Rights.FdWrite);
}

/** Closes `fd`, the file that `createFile` made for `path`, and gives it that name. */
export function commit(fd: i32, path: usize): Exit {
  const closing = fdClose(fd);
  if (closing == 0 && find(path) && temporary()) {
    const errno = pathRename(folder, name, textBytes(name), folder, rest, textBytes(rest));
    if (errno == 0) return Exit.Done;
    return fail(Exit.Output, ascii("$ cannot be renamed to: errno %"), errno, 0, path);
  }
  return fail(Exit.Output, ascii("$ cannot be written: errno %"), closing, 0, path);
}
