// `mote core`: a core that holds only the kernels of some models, for hosts that must be small.
// Invariant: the file appears only after every model's self-test passed on the new core, whole or not at all.

import { type Command, Option } from "commander";
import { loadModel, MoteError } from "../../../host/targets/node.ts";
import type { CompiledBuild, Loops } from "../../compile/compile.ts";
import { ToolError } from "../../errors.ts";
import { readInput, writeWhole } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { count, fields } from "../table.ts";

const MORE = `
The core is a WebAssembly module as those of the package, without imports, and checks models as they do; a
model with an operator or kernel that none of the given ones has is refused. Give it to the host as
loadModel(source, { core: { simd: module } }). Inner loops are as for mote compile, and "both" when not said.

Examples:
  mote core kws.mote -o kws-core.wasm
  mote core kws.mote person.mote -o core.wasm --loops dot     for x86 servers, such as Workers

Exit status: 0 done, 1 a model is bad, 2 bad usage.`;

interface CoreOptions extends OutputOptions {
  readonly output?: string;
  readonly build: CompiledBuild;
  readonly loops: Loops;
}

export function addCore(program: Command): void {
  program
    .command("core")
    .summary("make a core of only the kernels that some models use")
    .description("Make a core that holds only the kernels of the given models, for hosts that must be small.")
    .argument("<model>", "a .mote file")
    .argument("[more...]", "more of them")
    .option("-o, --output <file>", "the .wasm file to write; an old one is replaced at once or not at all")
    .addOption(new Option("--build <name>", "instructions to use").choices(["simd", "scalar"]).default("simd"))
    .addOption(
      new Option("--loops <name>", "inner loops of the simd build").choices(["dot", "narrow", "both"]).default("both"),
    )
    .option("--json", "print one JSON object with the summary")
    .addHelpText("after", MORE)
    .action(core);
}

async function core(first: string, more: readonly string[], options: CoreOptions): Promise<void> {
  const { output, build, loops } = options;
  if (output === undefined) throw new ToolError("USAGE", "mote core must know where to write: add --output FILE.");
  const paths = [first, ...more];
  const progress = new Progress();
  const models = await Promise.all(paths.map(readInput));
  // loaded only now: the other commands start without it
  const { coreFor } = await import("../../compile/core.ts");
  const bytes = await progress.stage("compiling", () => coreFor(models, { build, loops }));
  for (const [i, path] of paths.entries()) {
    const session = await naming(path, async () =>
      (await loadModel(models[i]!, { core: { [build]: bytes as BufferSource } })).createSession(),
    );
    if (!session.selfTest())
      throw new MoteError("BAD_MODEL", `${path}: the self-test gave other bytes; pack the model again.`);
  }
  await progress.stage(`writing ${output}`, () => writeWhole(output, bytes));
  const summary = { models: paths, file: output, build, loops, bytesOut: bytes.length };
  print(options, summary, () =>
    fields([
      ["models", paths.join(", ")],
      ["size", `${count(bytes.length)} bytes`],
      ["written", output],
    ]),
  );
}
