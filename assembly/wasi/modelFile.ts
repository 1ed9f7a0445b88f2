// The .mote file (host/format/layout.ts draws it), where there is no host to check it: the preamble, each
// section's place and checksum, the plan's versions and sizes. Invariant: a model is accepted only whole, and
// what it needs is known to be there before its image is copied.

import { ABI_VERSION, NUMERICS_VERSION, Plan, SLACK_BYTES, Status } from "../abi";
import { failedAt, loadPlan } from "../execute";
import { field } from "../memory";
import { crc32c } from "./crc32c";
import { Exit } from "./exit";
import { fail } from "./message";
import { checkPorts } from "./ports";
import { makeRoom, memoryBytes } from "./room";

const MAGIC: u32 = 0x45544f4d;
const FORMAT_VERSION: u32 = 1;
export const PREAMBLE_BYTES: u32 = 64;
/** Most bytes of memory that a model may ask for, as in the host. */
const MOST_BYTES: u32 = 1 << 30;

export const enum Section {
  Header = 0,
  Image = 1,
  SelfTest = 2,
  /** of an Ed25519 key; may be absent. Its checksum is judged here, not the signature: the engine's host does that. */
  Signature = 3,
  Count = 4,
}

const align64 = (value: u32): u32 => (value + 63) & ~63;

// the section table is four records of { u32 offset, u32 bytes, u32 CRC-32C } at byte 12 of the preamble
export const sectionOffset = (preamble: usize, section: i32): u32 => load<u32>(preamble + <usize>(12 + section * 12));
export const sectionBytes = (preamble: usize, section: i32): u32 => load<u32>(preamble + <usize>(16 + section * 12));
const sectionCrc = (preamble: usize, section: i32): u32 => load<u32>(preamble + <usize>(20 + section * 12));

function damaged(text: usize): Exit {
  return fail(Exit.Model, ascii("damaged model: $; fetch or pack it again"), 0, 0, text);
}

/** The first 64 bytes of a file: what it is, and that its sections lie one behind the other to its end. */
export function checkPreamble(preamble: usize, bytes: u32): Exit {
  if (bytes < PREAMBLE_BYTES || load<u32>(preamble) != MAGIC)
    return fail(Exit.Model, ascii("the model is no .mote file: it does not start with MOTE"));
  const version = <u32>load<u16>(preamble, 4);
  if (version != FORMAT_VERSION)
    return fail(Exit.Model, ascii("the model has format %, and this program reads %"), version, FORMAT_VERSION);
  if (~crc32c(-1, preamble, 60) != load<u32>(preamble, 60)) return damaged(ascii("the preamble has another CRC"));
  let end: u64 = PREAMBLE_BYTES;
  for (let section = 0; section < Section.Count; section++) {
    if (section == Section.Signature && sectionOffset(preamble, section) == 0) break;
    if (<u64>sectionOffset(preamble, section) != (end + 63) & ~63) return damaged(ascii("a section is misplaced"));
    end = <u64>sectionOffset(preamble, section) + <u64>sectionBytes(preamble, section);
  }
  if (load<u16>(preamble, 6) != PREAMBLE_BYTES || <u64>load<u32>(preamble, 8) != end)
    return damaged(ascii("the sections do not end where the file does"));
  return Exit.Done;
}

/** The file ends after `got` bytes. */
export function truncated(got: u32, preamble: usize): Exit {
  return fail(Exit.Model, ascii("truncated model: it ends after % of % bytes"), got, load<u32>(preamble, 8));
}

/** Whether the running `crc` of a section is what the preamble says. */
export function checkSection(preamble: usize, section: i32, crc: u32): Exit {
  return ~crc == sectionCrc(preamble, section) ? Exit.Done : damaged(ascii("a section has another CRC"));
}

/** Judges the plan's first words, at `base`, and makes the memory that the model needs from there. */
export function makeModelRoom(preamble: usize, base: usize): Exit {
  const abi = <u32>field(base, Plan.AbiVersion),
    numerics = <u32>field(base, Plan.NumericsVersion),
    image = <u32>field(base, Plan.ImageBytes),
    total = <u32>field(base, Plan.TotalBytes);
  if (abi != ABI_VERSION) return fail(Exit.Model, ascii("the model has plan version %, and this program reads %"), abi, ABI_VERSION);
  if (numerics != NUMERICS_VERSION)
    return fail(Exit.Model, ascii("the model has numerics version %, and this program %"), numerics, NUMERICS_VERSION);
  if (image != sectionBytes(preamble, Section.Image) || total < image || total > MOST_BYTES)
    return damaged(ascii("the plan's sizes do not fit the file"));
  return makeRoom(<u64>base + total + SLACK_BYTES);
}

/** Has the core check the plan at `base`, whose image is there. */
export function acceptPlan(base: usize): Exit {
  const status = loadPlan(base, <u32>(memoryBytes() - base));
  if (status != Status.Ok) return fail(Exit.Model, ascii("damaged model: step % of its plan is refused with status %"), failedAt(), status);
  return checkPorts();
}

/** 64-byte boundary at or past `address`: where a model, or a file with one, may lie. */
export const boundary = (address: usize): usize => <usize>align64(<u32>address);
