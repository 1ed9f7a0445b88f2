// What both commands do once the model is in memory: open, run, close. Invariant: every file is opened before
// the first run, and takes its name only after the last byte was written.

import { StateFile } from "../abi";
import { startState } from "../state";
import { inputPath, isStandard, isStream, outputPath, statePath } from "./arguments";
import { Exit } from "./exit";
import { commit, createFile, opened, openFile } from "./files";
import { runFrames } from "./frames";
import { fail } from "./message";
import { STDIN, STDOUT } from "./preview1";
import { checkState, makeHeader, stateAddress, stateBytes, stateHeader } from "./stateFile";
import { got, readUpTo, writeAll } from "./streams";

/** Goes on from the state in the file, if there is one. */
function loadState(): Exit {
  const bytes = stateBytes();
  if (bytes == 0) return fail(Exit.State, ascii("the model keeps nothing between runs: leave --state out"));
  let code = openFile(statePath, false);
  if (code != Exit.Done || opened < 0) return code;
  const file = opened;
  code = readUpTo(file, stateHeader, StateFile.HeaderBytes, ascii("the state"));
  let all = got;
  if (code == Exit.Done) code = readUpTo(file, stateAddress(), bytes, ascii("the state"));
  all += got;
  if (code != Exit.Done) return code;
  if (all < <u32>StateFile.HeaderBytes + bytes)
    return fail(Exit.State, ascii("the state is short: % of % bytes"), all, <u32>StateFile.HeaderBytes + bytes);
  return checkState();
}

function saveState(): Exit {
  let code = createFile(statePath);
  if (code != Exit.Done) return code;
  const file = opened;
  makeHeader();
  code = writeAll(file, stateHeader, StateFile.HeaderBytes, ascii("the state"));
  if (code == Exit.Done) code = writeAll(file, stateAddress(), stateBytes(), ascii("the state"));
  return code == Exit.Done ? commit(file, statePath) : code;
}

export function runSession(): Exit {
  let input = STDIN,
    output = STDOUT;
  startState();
  let code: Exit = statePath != 0 ? loadState() : Exit.Done;
  if (code != Exit.Done) return code;
  if (!isStandard(inputPath)) {
    code = openFile(inputPath);
    if (code != Exit.Done) return code;
    input = opened;
  }
  if (!isStandard(outputPath)) {
    code = createFile(outputPath);
    if (code != Exit.Done) return code;
    output = opened;
  }
  code = runFrames(input, output, isStream);
  if (code == Exit.Done && output != STDOUT) code = commit(output, outputPath);
  return code == Exit.Done && statePath != 0 ? saveState() : code;
}
