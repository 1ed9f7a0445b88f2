#!/usr/bin/env node
// The `mote` command: parses the command line, runs one command, turns what went wrong into one sentence.
// Invariant: exit status 0 done, 1 the work failed, 2 bad usage; with --json stdout is one JSON value.

import { CommanderError } from "commander";
import { describeFailure } from "./failure.ts";
import { printable } from "./output.ts";
import { createProgram } from "./program.ts";

// a reader that has seen enough, as in `mote explain m.mote | head`, is no failure
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const words = process.argv.slice(2);
const program = createProgram();
try {
  if (words.length === 0) program.outputHelp();
  else await program.parseAsync(words, { from: "user" });
} catch (error) {
  // help and version end in an "error" of status 0
  if (!(error instanceof CommanderError && error.exitCode === 0)) fail(error);
}

function fail(error: unknown): void {
  const command = program.commands.find((candidate) => candidate.name() === words[0]);
  const { code, message, exit, stack } = describeFailure(error, command ? `mote ${command.name()}` : "mote");
  process.stderr.write(printable(`mote: ${message}\n${stack === undefined ? "" : `${stack}\n`}`));
  if (words.includes("--json")) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  process.exitCode = exit;
}
