// The command line as commander knows it. Invariant: nothing here exits the process or prints an error:
// main.ts does both.

import { Command } from "commander";
import { VERSION } from "../pack/version.ts";
import { addCompile } from "./commands/compile.ts";
import { addCore } from "./commands/core.ts";
import { addDiff } from "./commands/diff.ts";
import { addDistil } from "./commands/distil.ts";
import { addEvaluate } from "./commands/evaluate.ts";
import { addExplain } from "./commands/explain.ts";
import { addImport } from "./commands/import.ts";
import { addInspect } from "./commands/inspect.ts";
import { addProfile } from "./commands/profile.ts";
import { addPrune } from "./commands/prune.ts";
import { addQuantize } from "./commands/quantize.ts";
import { addRun } from "./commands/run.ts";
import { addSearch } from "./commands/search.ts";
import { addSign } from "./commands/sign.ts";
import { addTrain } from "./commands/train.ts";
import { addVerify } from "./commands/verify.ts";

const MORE = `
Start here:
  mote import model.tflite -o model.mote     make a .mote file of a quantized TensorFlow Lite model
  mote train recipe.ts                       or train one, from data to a packed model
  mote run model.mote --input picture.png    run it

Exit status: 0 done, 1 the work failed, 2 bad usage. With --json, stdout is one JSON value, and a failure
is {"error": {"code", "message"}}.`;

export function createProgram(): Command {
  const program = new Command("mote")
    .description("Import, run and look into quantized models for the edge.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .addHelpText("after", MORE)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const commands = [
    addImport,
    addTrain,
    addRun,
    addInspect,
    addExplain,
    addProfile,
    addEvaluate,
    addDiff,
    addQuantize,
    addPrune,
    addDistil,
    addSearch,
    addSign,
    addVerify,
    addCompile,
    addCore,
  ];
  for (const add of commands) add(program);
  return program;
}
