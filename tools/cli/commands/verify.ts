// `mote verify`: is the file whole, and does every build of the core compute what it must on this machine.

import type { Command } from "commander";
import { readModel } from "../../../host/format/reader.ts";
import { type BuildName, loadModel, type Model, MoteError } from "../../../host/targets/node.ts";
import { BUILDS } from "../builds.ts";
import { readInput } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { fields } from "../table.ts";

const MORE = `
The file's checksums and every field are checked, the core checks its plan, and the inputs in the file
must give the outputs in the file byte for byte on every build of the core that this engine runs.

Example:
  mote verify digits.mote && echo sound

Exit status: 0 the model is sound, 1 it is not, 2 bad usage.`;

export function addVerify(program: Command): void {
  program
    .command("verify")
    .summary("check a model file and run its self-test on every build")
    .description("Check a model file and run its self-test on every build of the core.")
    .argument("<model>", "a .mote file")
    .option("--json", "print one JSON object: model and the checks with their ms")
    .addHelpText("after", MORE)
    .action(verify);
}

export interface Check {
  readonly check: string;
  readonly ms: number;
  /** why it was not done; absent when it passed */
  readonly skipped?: string;
}

/** Runs the model's own inputs on one build; throws MoteError BAD_MODEL when other bytes come out. */
export async function selfTest(path: string, model: Model, build: BuildName): Promise<Check> {
  const check = `self-test on the ${build} build`;
  const started = performance.now();
  try {
    const session = await naming(path, () => model.createSession({ build }));
    if (!session.selfTest()) {
      throw new MoteError(
        "BAD_MODEL",
        `${path}: the self-test on the ${build} build gave other bytes than the file says; pack the model again, and report it if that does not help.`,
      );
    }
    session.dispose();
  } catch (error) {
    // an engine without SIMD is no fault of the file; one without the scalar build is broken
    if (!(error instanceof MoteError && error.code === "NO_CORE" && build !== "scalar")) throw error;
    return { check, ms: 0, skipped: error.message };
  }
  return { check, ms: performance.now() - started };
}

async function verify(path: string, options: OutputOptions): Promise<void> {
  const started = performance.now();
  const bytes = await readInput(path);
  await naming(path, () => readModel(bytes));
  const checks: Check[] = [{ check: "file, checksums and header", ms: performance.now() - started }];
  const model = await naming(path, () => loadModel(bytes));
  for (const build of BUILDS) checks.push(await selfTest(path, model, build));
  print(options, { model: model.name, ok: true, checks }, () =>
    fields(checks.map(({ check, ms, skipped }) => [skipped ? "skipped" : "OK", `${check}: ${skipped ?? time(ms)}`])),
  );
}

const time = (ms: number): string => `${ms.toFixed(1)} ms`;
