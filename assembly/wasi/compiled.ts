// One model as a program: what `mote compile` makes of it, a WASI command with the reactor's functions beside. This is
// the template; tools/compile/ puts the image at `imageBase`, leaves out the kernels that the plan does not use,
// and sets the memory's size. Invariant: the memory never grows; the plan was checked when it was compiled.
//
//   0      heapBase   imageBase                      + totalBytes + slack     end of the pages
//   ├ own ─┼──────────┼ image ┼ arena ───────────────┼ arguments ─────────────┤

import { Plan, SLACK_BYTES, Status } from "../abi";
import { loadPlan } from "../execute";
import { argumentBytes, readArguments, wantsHelp } from "./arguments";
import { Exit } from "./exit";
import { setLoaded } from "./loaded";
import { clear, fail, printLine } from "./message";
import { boundary } from "./modelFile";
import { procExit, STDOUT } from "./preview1";
import { memoryBytes } from "./room";
import { runSession } from "./session";
import { writeAll } from "./streams";

export * from "./interface";

/** Asked by tools/compile/ only, and not exported of what it makes. */
export function imageBase(): usize {
  return boundary(__heap_base);
}

function start(): Exit {
  const base = imageBase();
  const status = loadPlan(base, <u32>(memoryBytes() - base));
  setLoaded(status == Status.Ok);
  return status == Status.Ok ? Exit.Done : fail(Exit.Model, ascii("the model inside is refused with status %"), status);
}

/** As the reactor's; there is no file, so `bytes` is not looked at. */
export function mote_load(bytes: u32): Exit {
  clear();
  return start();
}

function help(): Exit {
  const text = ascii(
    "Usage: model.wasm [--stream] [--state FILE] [INPUT [OUTPUT]]\n\nRuns the model inside, as mote.wasm does with a file. Exit status: 0 done, 2 usage, 3 file, 6 input, 7 output, 8 state.\n",
  );
  let bytes: u32 = 0;
  while (load<u8>(text + bytes) != 0) bytes++;
  return writeAll(STDOUT, text, bytes, ascii("the help"));
}

function main(): Exit {
  const words = (imageBase() + <usize>load<u32>(imageBase(), Plan.TotalBytes * 4) + SLACK_BYTES + 3) & ~3;
  if (<u64>words + argumentBytes() > memoryBytes()) return fail(Exit.Usage, ascii("the arguments are too long"));
  let code = readArguments(words, false);
  if (code != Exit.Done) return code;
  if (wantsHelp) return help();
  code = start();
  return code == Exit.Done ? runSession() : code;
}

export function _start(): void {
  const code = main();
  if (code == Exit.Done) return;
  printLine();
  procExit(code);
}
