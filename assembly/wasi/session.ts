// What both commands do once the model is in memory: open, run, close. Invariant: every file is opened before
// the first run, and takes its name only after the last byte was written.

import { inputPath, isStandard, isStream, outputPath } from "./arguments";
import { Exit } from "./exit";
import { commit, createFile, opened, openFile } from "./files";
import { runFrames } from "./frames";
import { STDIN, STDOUT } from "./preview1";

export function runSession(): Exit {
  let input = STDIN,
    output = STDOUT;
  let code: Exit = Exit.Done;
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
  return code;
}
