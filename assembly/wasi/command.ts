// mote.wasm: a WASI command that runs any .mote file. docs/wasi.md is its manual.
// Invariant: ends with an exit status of exit.ts, and with a sentence on stderr unless that is 0; never with a trap.
//
//   0      heapBase      base                        base + totalBytes + slack
//   ├ own ─┼ arguments ──┼ image ┼ arena ────────────┤        the memory is grown once, when the plan is known
//                        └ the header section, in pieces, before the image; the others through the arena, after

import { Plan } from "../abi";
import { argumentBytes, isStandard, modelPath, readArguments, wantsHelp } from "./arguments";
import { crc32c } from "./crc32c";
import { Exit } from "./exit";
import { opened, openFile } from "./files";
import { fail, printLine } from "./message";
import {
  acceptPlan,
  boundary,
  checkPreamble,
  checkSection,
  makeModelRoom,
  PREAMBLE_BYTES,
  Section,
  sectionBytes,
  sectionOffset,
  truncated,
} from "./modelFile";
import { procExit, STDIN, STDOUT } from "./preview1";
import { makeRoom } from "./room";
import { runSession } from "./session";
import { got, readUpTo, writeAll } from "./streams";

const PIECE_BYTES: u32 = 4096;
const preamble: usize = memory.data(64, 64);

/** Bytes of the file that were read. */
let at: u32 = 0;

/** Reads the next `bytes` of the file, all of them, to `to`. */
function take(fd: i32, to: usize, bytes: u32): Exit {
  const code = readUpTo(fd, to, bytes, ascii("the model"));
  at += got;
  if (code != Exit.Done) return code;
  if (got == bytes) return Exit.Done;
  return at < PREAMBLE_BYTES ? checkPreamble(preamble, at) : truncated(at, preamble);
}

/** Reads a section, and the gap before it, through `room` bytes at `piece`, and judges its checksum. */
function skim(fd: i32, section: i32, piece: usize, room: u32): Exit {
  let crc: u32 = -1;
  const start = sectionOffset(preamble, section),
    end = start + sectionBytes(preamble, section);
  while (at < end) {
    const isGap = at < start;
    const bytes = min<u32>(room, (isGap ? start : end) - at);
    const code = take(fd, piece, bytes);
    if (code != Exit.Done) return code;
    if (!isGap) crc = crc32c(crc, piece, bytes);
  }
  return checkSection(preamble, section, crc);
}

function readImage(fd: i32, base: usize): Exit {
  const bytes = sectionBytes(preamble, Section.Image),
    first = <u32>(Plan.Words * 4);
  let code = take(fd, base, sectionOffset(preamble, Section.Image) - at);
  if (code != Exit.Done) return code;
  if (bytes < first) return fail(Exit.Model, ascii("damaged model: it has no plan"));
  code = take(fd, base, first);
  if (code == Exit.Done) code = makeModelRoom(preamble, base);
  if (code == Exit.Done) code = take(fd, base + first, bytes - first);
  return code == Exit.Done ? checkSection(preamble, Section.Image, crc32c(-1, base, bytes)) : code;
}

function readModel(fd: i32, base: usize): Exit {
  let code = take(fd, preamble, PREAMBLE_BYTES);
  if (code == Exit.Done) code = checkPreamble(preamble, PREAMBLE_BYTES);
  if (code == Exit.Done) code = makeRoom(<u64>base + PIECE_BYTES);
  if (code == Exit.Done) code = skim(fd, Section.Header, base, PIECE_BYTES);
  if (code == Exit.Done) code = readImage(fd, base);
  if (code != Exit.Done) return code;
  const image = sectionBytes(preamble, Section.Image);
  const arena = <u32>load<u32>(base, Plan.TotalBytes * 4) - image;
  // where the arena is nothing, the slack behind it is not
  const room = max<u32>(min<u32>(PIECE_BYTES, arena), 64);
  code = skim(fd, Section.SelfTest, base + image, room);
  if (code == Exit.Done) code = skim(fd, Section.Signature, base + image, room);
  return code == Exit.Done ? acceptPlan(base) : code;
}

function help(): Exit {
  const text = ascii(
    "Usage: mote.wasm [--stream] [--state FILE] MODEL [INPUT [OUTPUT]]\n\nRuns a .mote model on its inputs' bytes and writes its outputs'. Absent or - is standard input or output.\n\n  --stream      run on every frame of the input until it ends\n  --state FILE  go on from the state in FILE, if it exists, and save it there\n\nExit status: 0 done, 2 usage, 3 file, 4 model, 5 memory, 6 input, 7 output, 8 state.\n",
  );
  let bytes: u32 = 0;
  while (load<u8>(text + bytes) != 0) bytes++;
  return writeAll(STDOUT, text, bytes, ascii("the help"));
}

function main(): Exit {
  const words = __heap_base,
    bytes = argumentBytes();
  let code = makeRoom(<u64>words + bytes);
  if (code == Exit.Done) code = readArguments(words, true);
  if (code != Exit.Done) return code;
  if (wantsHelp) return help();
  let fd = STDIN;
  if (!isStandard(modelPath)) {
    code = openFile(modelPath);
    if (code != Exit.Done) return code;
    fd = opened;
  }
  code = readModel(fd, boundary(words + bytes));
  return code == Exit.Done ? runSession() : code;
}

export function _start(): void {
  const code = main();
  if (code == Exit.Done) return;
  printLine();
  procExit(code);
}
