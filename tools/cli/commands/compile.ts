// `mote compile`: a .mote file → one WebAssembly module with the weights inside, for any WASI engine.
// Invariant: the module appears only after the model was found sound, and it is written whole or not at all.

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { loadModel } from "../../../host/targets/node.ts";
import type { CompiledBuild, Loops } from "../../compile/compile.ts";
import { ToolError } from "../../errors.ts";
import { readInput, writeWhole } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { count, fields } from "../table.ts";
import { selfTest } from "./verify.ts";

const MORE = `
The module is a WASI command and a reactor: it reads the bytes of the inputs from standard input and
writes those of the outputs to standard output, or is embedded through the functions of mote.h. Of the
kernels it holds only those that the model uses.

Inner loops of the simd build give the same bytes and differ in time:
  dot     best on x86, and in interpreters everywhere
  narrow  best on arm64, where the engine compiles
  both    chosen when the module starts; larger

Examples:
  mote compile kws.mote -o kws.wasm && wasmtime kws.wasm < features.bin > scores.bin
  mote compile kws.mote -o kws.wasm --build scalar     for engines without SIMD: wasm3, Chicory

Exit status: 0 done, 1 the model is bad or cannot be compiled, 2 bad usage.`;

interface CompileOptions extends OutputOptions {
  readonly output?: string;
  readonly build: CompiledBuild;
  readonly loops: Loops;
}

export function addCompile(program: Command): void {
  program
    .command("compile")
    .summary("make a self-contained WebAssembly module of a .mote file")
    .description("Make one WebAssembly module of a model, its weights inside, that runs on any WASI engine.")
    .argument("<model>", "a .mote file")
    .option("-o, --output <file>", "the .wasm file to write; an old one is replaced at once or not at all")
    .addOption(new Option("--build <name>", "instructions to use").choices(["simd", "scalar"]).default("simd"))
    .addOption(
      new Option("--loops <name>", "inner loops of the simd build").choices(["dot", "narrow", "both"]).default("dot"),
    )
    .option("--json", "print one JSON object with the summary")
    .addHelpText("after", MORE)
    .action(compile);
}

async function compile(path: string, options: CompileOptions): Promise<void> {
  const { output, build, loops } = options;
  // not commander's required option: it would hide a mistyped one
  if (output === undefined) throw new ToolError("USAGE", "mote compile must know where to write: add --output FILE.");
  if (resolve(output) === resolve(path)) {
    throw new ToolError("USAGE", `--output ${output} is the model itself, which would be lost: give another file.`);
  }
  const progress = new Progress();
  const bytes = await readInput(path);
  const model = await naming(path, () => loadModel(bytes));
  await progress.stage(`self-test on ${build}`, () => selfTest(path, model, build));
  // loaded only now: the other commands start without it
  const { compileModel } = await import("../../compile/compile.ts");
  const compiled = await progress.stage("compiling", () => compileModel(bytes, { build, loops }));
  await progress.stage(`writing ${output}`, () => writeWhole(output, compiled.bytes));
  const bytesOut = compiled.bytes.length;
  const memoryBytes = compiled.pages * 65536;
  const { imageBytes } = compiled;
  const summary = { model: model.name, file: output, build, loops, bytesOut, imageBytes, memoryBytes };
  print(options, summary, () =>
    fields([
      ["model", model.name],
      ["size", `${count(bytesOut)} bytes: ${count(imageBytes)} of the model, ${count(bytesOut - imageBytes)} of code`],
      ["memory", `${count(memoryBytes)} bytes, never more`],
      ["written", output],
    ]),
  );
}
