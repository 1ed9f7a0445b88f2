// `mote verify`: is the file whole, and does every build of the core compute what it must on this machine.

import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { readModel } from "../../../host/format/reader.ts";
import { type VerifyOptions, verifyModel } from "../../../host/format/verify.ts";
import { type BuildName, loadModel, type Model, MoteError } from "../../../host/targets/node.ts";
import { BUILDS } from "../builds.ts";
import { readInput } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { fields } from "../table.ts";

const MORE = `
The file's checksums and every field are checked, the core checks its plan, and the inputs in the file
must give the outputs in the file byte for byte on every build of the core that this engine runs.

Examples:
  mote verify digits.mote && echo sound
  mote verify signed.mote --public-key "$PUBLIC_KEY"

Exit status: 0 the model is sound, 1 it is not, 2 bad usage.`;

export function addVerify(program: Command): void {
  program
    .command("verify")
    .summary("check a model file and run its self-test on every build")
    .description("Check a model file and run its self-test on every build of the core.")
    .argument("<model>", "a .mote file")
    .option("--public-key <key>", "the signer's key in base64, or a file that holds it; the file must be signed by it")
    .option("--sha256 <hex>", "the SHA-256 that the file must have")
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

interface VerifyingOptions extends OutputOptions {
  readonly publicKey?: string;
  readonly sha256?: string;
}

/** The checks of origin that were asked for, done; throws MoteError UNTRUSTED. */
async function origin(path: string, bytes: Uint8Array, { publicKey, sha256 }: VerifyingOptions): Promise<Check[]> {
  const asked: [string, VerifyOptions][] = [];
  if (sha256 !== undefined) asked.push(["SHA-256 of the file", { sha256 }]);
  if (publicKey !== undefined) {
    const key = existsSync(publicKey) ? Buffer.from(await readInput(publicKey)).toString() : publicKey;
    asked.push(["signature, and SHA-256 of every section", { publicKey: key }]);
  }
  const checks: Check[] = [];
  for (const [check, wanted] of asked) {
    const started = performance.now();
    await naming(path, () => verifyModel(bytes, wanted));
    checks.push({ check, ms: performance.now() - started });
  }
  return checks;
}

async function verify(path: string, options: VerifyingOptions): Promise<void> {
  const bytes = await readInput(path);
  const trusted = await origin(path, bytes, options);
  const started = performance.now();
  await naming(path, () => readModel(bytes));
  const checks: Check[] = [...trusted, { check: "file, checksums and header", ms: performance.now() - started }];
  const model = await naming(path, () => loadModel(bytes));
  for (const build of BUILDS) checks.push(await selfTest(path, model, build));
  print(options, { model: model.name, ok: true, checks }, () =>
    fields(checks.map(({ check, ms, skipped }) => [skipped ? "skipped" : "OK", `${check}: ${skipped ?? time(ms)}`])),
  );
}

const time = (ms: number): string => `${ms.toFixed(1)} ms`;
