// The reactor: a WebAssembly module with a small C interface, for programs that embed an engine. It imports
// nothing. include/mote.h declares what it exports, and says what each does.
// Invariant: no call traps, whatever the model; before a model is loaded every size and address is 0.
//
//   0      heapBase   file                                      file + imageOffset + totalBytes + slack
//   ├ own ─┼──────────┼ preamble ┼ header ┼ image ┼ arena ──────┤
//                     │        .mote file         │ self-test   │ checked, then overwritten by the arena

import { crc32c } from "./crc32c";
import { Exit } from "./exit";
import { clear, fail } from "./message";
import { acceptPlan, boundary, checkPreamble, checkSection, makeModelRoom, Section, sectionBytes, sectionOffset, truncated } from "./modelFile";
import { setLoaded } from "./loaded";
import { makeRoom } from "./room";

const file: usize = boundary(__heap_base);
/** Bytes that `mote_reserve` made room for. */
let reserved: u32 = 0;

export * from "./interface";
export function mote_reserve(bytes: u32): usize {
  clear();
  setLoaded(false);
  reserved = 0;
  if (makeRoom(<u64>file + bytes) != Exit.Done) return 0;
  reserved = bytes;
  return file;
}

function checkFile(bytes: u32): Exit {
  let code = checkPreamble(file, bytes);
  if (code != Exit.Done) return code;
  if (load<u32>(file, 8) > bytes) return truncated(bytes, file);
  if (load<u32>(file, 8) < bytes) return fail(Exit.Model, ascii("damaged model: % bytes too many"), bytes - load<u32>(file, 8));
  if (sectionBytes(file, Section.Image) < 64) return fail(Exit.Model, ascii("damaged model: it has no plan"));
  for (let section = 0; code == Exit.Done && section < Section.Count; section++)
    // of an absent section the record is zero, which is also the checksum of nothing
    code = checkSection(file, section, crc32c(-1, file + sectionOffset(file, section), sectionBytes(file, section)));
  return code;
}

export function mote_load(bytes: u32): Exit {
  clear();
  setLoaded(false);
  if (bytes > reserved) return fail(Exit.Usage, ascii("% bytes were reserved for the model, not %"), reserved, bytes);
  let code = checkFile(bytes);
  if (code != Exit.Done) return code;
  const image = file + sectionOffset(file, Section.Image);
  code = makeModelRoom(file, image);
  if (code == Exit.Done) code = acceptPlan(image);
  setLoaded(code == Exit.Done);
  return code;
}

