// `mote profile`: where the time of a run goes, step by step.

import { type Command, InvalidArgumentError } from "commander";
import type { Inputs, ProfileRow, Session } from "../../../host/targets/node.ts";
import { type BuildOptions, buildOption } from "../builds.ts";
import { type InputOptions, inputOption, readInputs } from "../inputs.ts";
import { naming, openModel } from "../model.ts";
import { type OutputOptions, print, printable } from "../output.ts";
import { Progress } from "../progress.ts";
import { type Cell, table } from "../table.ts";

const MORE = `
MACs/ns is the same as GMAC/s. Times of one step are rounded by the engine's clock: raise --runs for
small models, and let nothing else run beside it.

Examples:
  mote profile digits.mote
  mote profile digits.mote --input seven.png --runs 500 --build scalar

Exit status: 0 done, 1 a file is bad or does not fit the model, 2 bad usage.`;

interface ProfileOptions extends OutputOptions, BuildOptions, InputOptions {
  readonly runs: number;
}

function runCount(text: string): number {
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 1 || runs > 1e6) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 1000000.");
  }
  return runs;
}

export function addProfile(program: Command): void {
  program
    .command("profile")
    .summary("time every step of a model")
    .description("Time every step of a model on this machine.")
    .argument("<model>", "a .mote file")
    .addOption(inputOption(" (default: the model's self-test inputs)"))
    .option("--runs <count>", "runs, of which each step's fastest counts", runCount, 200)
    .addOption(buildOption())
    .option("--json", "print one JSON object: model, build, runs, ms, steps")
    .addHelpText("after", MORE)
    .action(profile);
}

/** Profiles in a few parts, to be able to say how far it is. */
function measure(session: Session, inputs: Inputs | undefined, runs: number): ProfileRow[] {
  const progress = new Progress();
  const parts = process.stderr.isTTY ? Math.min(10, runs) : 1;
  let total: ProfileRow[] = [];
  for (let part = 0; part < parts; part++) {
    const some = Math.floor(((part + 1) * runs) / parts) - Math.floor((part * runs) / parts);
    progress.show(`profiling ${runs} runs${parts > 1 ? `: ${Math.round((part * 100) / parts)} %` : ""} …`);
    const rows = session.profile(inputs, { runs: some });
    total = rows.map((row, i) => ({ ...row, ms: Math.min(total[i]?.ms ?? Infinity, row.ms) }));
  }
  progress.clear();
  return total;
}

async function profile(path: string, options: ProfileOptions): Promise<void> {
  const { model } = await openModel(path);
  const { build, input, runs } = options;
  const note = (text: string): void => void process.stderr.write(`${printable(text)}\n`);
  const inputs = input && (await readInputs(input, model.inputs, note));
  const session = await naming(path, () => model.createSession(build ? { build } : {}));
  const steps = measure(session, inputs, runs);
  const ms = steps.reduce((sum, step) => sum + step.ms, 0);
  print(options, { model: model.name, build: session.build, runs, ms, steps }, () => {
    const macs = steps.reduce((sum, step) => sum + step.macs, 0);
    const row = (index: string, op: string, kernel: string, time: number, work: number, name: string): Cell[] => [
      index,
      op,
      kernel,
      time.toFixed(4),
      `${((100 * time) / ms || 0).toFixed(1)} %`,
      work,
      work === 0 ? "" : (work / time / 1e6).toFixed(2),
      name,
    ];
    const rows = steps.map(({ index, op, kernel, ms: time, macs: work, name }) =>
      row(`${index}`, op, kernel, time, work, name),
    );
    return [
      `${model.name} on the ${session.build} build, fastest of ${runs} runs`,
      table(
        ["step", "operator", "kernel", "ms", "share", "MACs", "MACs/ns", "name"],
        [...rows, row("total", "", "", ms, macs, "")],
      ),
    ].join("\n");
  });
}
