// What went wrong → one sentence, a code for programs, an exit status. Invariant: an error that says what
// to do never shows a stack; one that is ours to fix always does.

import { CommanderError } from "commander";
import { MoteError } from "../../host/targets/node.ts";
import { ToolError } from "../errors.ts";

/** The work failed. */
export const FAILED = 1;
/** The command line is wrong. */
export const USAGE = 2;

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly exit: number;
  readonly stack?: string;
}

/** `command` is what was called, for the hint where to read on. */
export function describeFailure(error: unknown, command: string): Failure {
  if (error instanceof CommanderError) {
    // commander has nothing to say about "mote help" with a command that is none
    const said = error.code === "commander.help" ? "there is no such command" : error.message;
    const message = said
      .replace(/^error: /, "")
      .replace(/\s*\n\s*\((Did you mean .*)\)$/, ". $1")
      .replace(/[.?]?$/, (end) => (end === "?" ? "?" : "."));
    return { code: "USAGE", message: `${message} See "${command} --help".`, exit: USAGE };
  }
  if (error instanceof ToolError || error instanceof MoteError) {
    return { code: error.code, message: error.message, exit: error.code === "USAGE" ? USAGE : FAILED };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: "BUG", message: `unexpected ${message}; please report this.`, exit: FAILED, stack: stack ?? message };
}
