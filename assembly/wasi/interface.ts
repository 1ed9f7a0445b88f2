// The part of the C interface that the reactor and a compiled model share: what there is to feed, run and read.
// Invariant: no call traps; before a model is loaded every count, size and address is 0.

import { Status } from "../abi";
import { runAll } from "../execute";
import { startState } from "../state";
import { Exit } from "./exit";
import { clear, fail, message } from "./message";
import { loaded } from "./loaded";
import { checkState, makeHeader, stateAddress, stateBytes, stateHeader } from "./stateFile";
import { inputCount, portAddress, portBytes, portCount } from "./ports";

export function mote_input_count(): i32 {
  return loaded ? inputCount() : 0;
}

export function mote_output_count(): i32 {
  return loaded ? portCount() - inputCount() : 0;
}

const hasInput = (index: i32): bool => index >= 0 && index < mote_input_count();
const hasOutput = (index: i32): bool => index >= 0 && index < mote_output_count();

export function mote_input(index: i32): usize {
  return hasInput(index) ? portAddress(index) : 0;
}

export function mote_input_bytes(index: i32): u32 {
  return hasInput(index) ? portBytes(index) : 0;
}

export function mote_output(index: i32): usize {
  return hasOutput(index) ? portAddress(inputCount() + index) : 0;
}

export function mote_output_bytes(index: i32): u32 {
  return hasOutput(index) ? portBytes(inputCount() + index) : 0;
}

export function mote_run(): Exit {
  clear();
  if (!loaded || runAll() != Status.Ok) return fail(Exit.Usage, ascii("no model is loaded"));
  return Exit.Done;
}

export function mote_state_bytes(): u32 {
  return loaded ? stateBytes() : 0;
}

const hasState = (): bool => mote_state_bytes() != 0;

export function mote_state(): usize {
  return hasState() ? stateAddress() : 0;
}

export function mote_state_header(): usize {
  return hasState() ? stateHeader : 0;
}

export function mote_state_save(): Exit {
  clear();
  if (!hasState()) return fail(Exit.State, ascii("there is no model that keeps a state"));
  makeHeader();
  return Exit.Done;
}

export function mote_state_load(): Exit {
  clear();
  if (!hasState()) return fail(Exit.State, ascii("there is no model that keeps a state"));
  const code = checkState();
  if (code != Exit.Done) startState();
  return code;
}

export function mote_state_reset(): void {
  if (loaded) startState();
}

export function mote_error(): usize {
  return message;
}
