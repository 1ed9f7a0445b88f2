// Runs a loaded model on what comes in and writes what goes out. One frame is the bytes of every input, one
// behind the other in the model's order; the answer is the bytes of every output.
// Invariant: inputs are read straight into their places and outputs written from theirs; a frame is run only whole.

import { runAll } from "../execute";
import { Exit } from "./exit";
import { fail, message } from "./message";
import { bytesOf, inputCount, portAddress, portBytes, portCount } from "./ports";
import { got, readUpTo, writeAll } from "./streams";

/** Bytes of the current frame that were read. */
let frameGot: u32 = 0;

/** Reads a frame; Done with `frameGot` 0 means that there is none, but for a model without inputs. */
function readFrame(fd: i32): Exit {
  frameGot = 0;
  for (let port = 0; port < inputCount(); port++) {
    const code = readUpTo(fd, portAddress(port), portBytes(port), ascii("the input"));
    if (code != Exit.Done) return code;
    frameGot += got;
    if (got < portBytes(port)) break;
  }
  return Exit.Done;
}

function writeFrame(fd: i32): Exit {
  for (let port = inputCount(); port < portCount(); port++) {
    const code = writeAll(fd, portAddress(port), portBytes(port), ascii("the output"));
    if (code != Exit.Done) return code;
  }
  return Exit.Done;
}

/**
 * Runs one frame, after which the input must end; with `stream` every frame until it ends.
 * A frame that is cut short is an error, after the answers to those before it.
 */
export function runFrames(input: i32, output: i32, stream: bool): Exit {
  const bytes = bytesOf(0, inputCount());
  let frames: u32 = 0;
  while (true) {
    let code = readFrame(input);
    if (code != Exit.Done) return code;
    if (stream && frameGot == 0 && (frames > 0 || bytes == 0)) return Exit.Done;
    if (frameGot < bytes)
      return stream && frames > 0
        ? fail(Exit.Input, ascii("the input ends inside a frame, after % of its % bytes"), frameGot, bytes)
        : fail(Exit.Input, ascii("the input is short: % of % bytes"), frameGot, bytes);
    if (!stream) {
      // the place of the message, which says nothing yet
      code = readUpTo(input, message, 1, ascii("the input"));
      store<u8>(message, 0);
      if (code != Exit.Done) return code;
      if (got != 0) return fail(Exit.Input, ascii("the input is longer than the % bytes of one frame: add --stream for many"), bytes);
    }
    runAll();
    code = writeFrame(output);
    if (code != Exit.Done || !stream) return code;
    frames++;
  }
}
