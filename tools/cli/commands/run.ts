// `mote run`: feeds files to a model, runs it once, shows and writes what comes out.

import { join } from "node:path";
import type { Command } from "commander";
import { rawBytes } from "../../data/raw.ts";
import { type BuildOptions, buildOption } from "../builds.ts";
import { makeFolder, writeWhole } from "../files.ts";
import { type InputOptions, inputOption, readInputs } from "../inputs.ts";
import { naming, openModel } from "../model.ts";
import { type OutputOptions, print, printable } from "../output.ts";
import { describeOutput, resultText } from "../results.ts";

interface RunOptions extends OutputOptions, BuildOptions, InputOptions {
  readonly output?: string;
}

const MORE = `
A picture is resized to the input's height and width, made grey or RGB, and scaled as the model says it
must be; a sound must have the model's sample rate. What the file holds is told from its content. Raw
.bin files hold the elements in the input's dtype, little-endian, row-major, and are not scaled.

Examples:
  mote run digits.mote --input seven.png
  mote run kws.mote --input features.npy --output out      writes out/out0.bin
  mote run add.mote --input a=a.bin --input b=b.bin --json
  mote run add.mote --input a.bin b.bin                     in the model's order

Exit status: 0 done, 1 a file is bad or does not fit the model, 2 bad usage.`;

export function addRun(program: Command): void {
  program
    .command("run")
    .summary("run a model once on pictures, sounds or arrays")
    .description("Feed files to a model, run it once, and show the best classes or the range of every output.")
    .argument("<model>", "a .mote file")
    .argument("[more...]", "more inputs, each as after --input")
    .addOption(inputOption())
    .option("-o, --output <folder>", "write output k as raw little-endian elements to out<k>.bin in this folder")
    .addOption(buildOption())
    .option("--json", "print one JSON object: model, build, outputs with their top classes, ms")
    .addHelpText("after", MORE)
    .action(run);
}

async function run(path: string, more: readonly string[], options: RunOptions): Promise<void> {
  const { model } = await openModel(path);
  const { build, input = [], output } = options;
  const inputs = await readInputs([...input, ...more], model.inputs, (note) =>
    process.stderr.write(`${printable(note)}\n`),
  );
  const session = await naming(path, () => model.createSession(build ? { build } : {}));
  const started = performance.now();
  const outputs = session.run(inputs);
  const ms = performance.now() - started;
  const results = model.outputs.map((port, i) => {
    const file = output === undefined ? undefined : join(output, `out${i}.bin`);
    return describeOutput(port, outputs[port.name]!, file);
  });
  if (output !== undefined) {
    await makeFolder(output);
    for (const { name, file } of results) await writeWhole(file!, rawBytes(outputs[name]!));
  }
  print(options, { model: model.name, build: session.build, outputs: results, ms }, () =>
    [...results.map(resultText), `${ms.toFixed(2)} ms on the ${session.build} build`].join("\n"),
  );
}
