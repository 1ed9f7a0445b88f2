// A core for some models only: of the kernels those that their plans use, for hosts that must be small. Like any core
// it imports nothing, checks what it is handed, and gives the same bytes; a plan with another kind of step it refuses.
// Invariant: the same models give the same core, in whatever order.

import { readFile } from "node:fs/promises";
import { STEP_WORDS, Status, Step } from "../../assembly/abi.ts";
import { readModel } from "../../host/format/reader.ts";
import { type CompileOptions, specialised, stepsOf, TEMPLATES } from "./compile.ts";
import { kindOf, type StepWords, splitCheckedWalkers } from "./specialise.ts";

/** Two steps of every kind that the models have, with no other word in common: so that no other is taken for fixed. */
function kindsOf(models: readonly Uint8Array[]): StepWords {
  const found = new Map<string, Int32Array>();
  for (const model of models) for (const words of stepsOf(readModel(model).image)) found.set(kindOf(words), words);
  return [...found.keys()].sort().flatMap((kind) =>
    [0, 1].map((fill) => {
      const words = new Int32Array(STEP_WORDS).fill(fill);
      words[Step.Op] = found.get(kind)![Step.Op]!;
      words[Step.Kernel] = found.get(kind)![Step.Kernel]!;
      return words;
    }),
  );
}

/**
 * The core of `models`, to be given to `loadModel` as `core: { simd }` or `core: { scalar }`.
 * @throws MoteError BAD_MODEL or VERSION; ToolError where Binaryen is absent.
 */
export async function coreFor(models: readonly Uint8Array[], options: CompileOptions = {}): Promise<Uint8Array> {
  const { build = "simd", loops = "both" } = options;
  const steps = kindsOf(models);
  const template = await readFile(new URL(`core-${build}.wasm`, TEMPLATES));
  return specialised(template, { build, loops }, steps, {
    split: (text) => splitCheckedWalkers(text, steps, Status.Operator),
  });
}
