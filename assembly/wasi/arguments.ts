// The command line of mote.wasm and of a compiled model. Invariant: the words lie where `readArguments` put them for
// as long as the program runs, and every one of them is used or refused.

import { Exit } from "./exit";
import { fail } from "./message";
import { argsGet, argsSizesGet } from "./preview1";

const sizes: usize = memory.data(8, 4);
/** Bytes that the words need, and their number, once `argumentBytes` was asked. */
let count: i32 = 0;

/** Options and operands; 0 where one was not given. */
export let isStream: bool = false;
export let wantsHelp: bool = false;
export let statePath: usize = 0;
export let modelPath: usize = 0;
export let inputPath: usize = 0;
export let outputPath: usize = 0;

/** Bytes of memory that `readArguments` needs. */
export function argumentBytes(): u32 {
  if (argsSizesGet(sizes, sizes + 4) != 0) return 0;
  count = load<i32>(sizes);
  return (<u32>count << 2) + load<u32>(sizes, 4);
}

function same(text: usize, other: usize): bool {
  while (load<u8>(text) == load<u8>(other)) {
    if (load<u8>(text) == 0) return true;
    text++;
    other++;
  }
  return false;
}

/** "-", or nothing: the standard stream. */
export function isStandard(path: usize): bool {
  return path == 0 || (load<u8>(path) == 45 && load<u8>(path, 1) == 0);
}

/** Reads the words into `at`; `takesModel` says whether the first operand is the model. */
export function readArguments(at: usize, takesModel: bool): Exit {
  if (argsGet(at, at + ((<usize>count) << 2)) != 0) return fail(Exit.Usage, ascii("the arguments cannot be read"));
  let operand = takesModel ? 0 : 1,
    options = true;
  // the first word is the program
  for (let i = 1; i < count; i++) {
    const word = <usize>load<u32>(at + ((<usize>i) << 2));
    if (options && load<u8>(word) == 45 && !isStandard(word)) {
      if (same(word, ascii("--"))) options = false;
      else if (same(word, ascii("--stream"))) isStream = true;
      else if (same(word, ascii("--help"))) wantsHelp = true;
      else if (same(word, ascii("--state")) && i + 1 < count) statePath = <usize>load<u32>(at + ((<usize>++i) << 2));
      else return fail(Exit.Usage, ascii("$ is no option, or lacks its file: see --help"), 0, 0, word);
    } else {
      if (operand == 0) modelPath = word;
      else if (operand == 1) inputPath = word;
      else if (operand == 2) outputPath = word;
      else return fail(Exit.Usage, ascii("$ is one argument too many: see --help"), 0, 0, word);
      operand++;
    }
  }
  if (takesModel && modelPath == 0 && !wantsHelp) return fail(Exit.Usage, ascii("no model is given: see --help"));
  return Exit.Done;
}
