// `mote distill`: a small net that learns from a large one, in float or, from its own float weights, in integers.

import type { Command } from "commander";
import { ToolError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Distil } from "../../train/distil.ts";
import type { Recipe } from "../../train/recipe.ts";
import { type CompressOptions, type Opened, trainOn, weightRules, withTrainingOptions } from "../compressing.ts";
import { positive, wholeNumber } from "../counts.ts";
import { readInput } from "../files.ts";
import { writeOutcome } from "../outcome.ts";
import { Progress } from "../progress.ts";
import { recipeAt } from "../samples.ts";

const MORE = `
STUDENT and the teacher are recipes of the same data. Without --from the student is trained from the start as its recipe says,
taught all the way; with --from its weights.bin it is trained on in integers for --epochs. Several --teacher-weights, of one
teacher trained with several seeds, make an ensemble. The folder gets model.mote, card.json, card.md and report.html.

Examples:
  mote distill student.ts --teacher cnn.ts --teacher-weights cnn/weights.bin -o taught
  mote distill student.ts --from student/weights.bin --weights int4 --epochs 4 --teacher cnn.ts --teacher-weights a.bin -o int4

Exit status: 0 done, 1 the work failed, 2 bad usage.`;

interface DistilOptions extends CompressOptions {
  readonly teacher?: string;
  readonly teacherWeights?: readonly string[];
  readonly temperature: number;
  readonly share: number;
  readonly weights: string;
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
}

export function addDistil(program: Command): void {
  const command = program
    .command("distill")
    .summary("teach a small net by a large one, with the evidence")
    .description("Teach a small net by a large one or several, in float or in integers; with card and report.")
    .argument("<student>", "a recipe (with --from: a trained one)")
    .option("-o, --output <folder>", "where everything goes")
    .option("--teacher <recipe>", "the recipe of the teacher's net")
    .option(
      "--teacher-weights <file>",
      "its weights.bin; several make an ensemble",
      (given: string, before: readonly string[] | undefined) => [...(before ?? []), given],
    )
    .option("--temperature <x>", "softens the scores of both", positive(), 4)
    .option("--share <x>", "part of the teacher in the loss", positive(1), 0.9)
    .option("--from <file>", "the student's own weights.bin, to go on in integers")
    .option("--weights <choice|rules.json>", "of the student, with --from", "int8")
    .option("--samples <n>", "samples that ranges are calibrated on", wholeNumber(1), 256);
  withTrainingOptions(command)
    .option("--json", "print one JSON object: the card")
    .addHelpText("after", MORE)
    .action(distil);
}

async function teacherOf(options: DistilOptions): Promise<Distil> {
  const { teacher, teacherWeights = [], temperature, share } = options;
  if (teacher === undefined || teacherWeights.length === 0)
    throw new ToolError("USAGE", "mote distill must know the teacher: add --teacher RECIPE --teacher-weights FILE.");
  const { readWeights } = await import("../../train/checkpoint.ts");
  const { ensemble, ensembleWeights } = await import("../../train/fusion.ts");
  const recipe = await recipeAt(teacher);
  for (const file of teacherWeights) await readInput(file);
  const members = teacherWeights.map((file) => readWeights(file));
  const isOne = members.length === 1;
  return {
    teacher: () => (isOne ? recipe.net() : ensemble(members.map(() => recipe.net()))),
    weights: () => (isOne ? members[0]! : ensembleWeights(members)),
    temperature,
    weight: share,
  };
}

async function distil(path: string, options: DistilOptions): Promise<void> {
  const { output, from, epochs, seed } = options;
  if (output === undefined) throw new ToolError("USAGE", "mote distill must know where to write: add --output FOLDER.");
  const progress = new Progress();
  const teacher = await teacherOf(options);
  const bytes = await readInput(path);
  const recipe = await recipeAt(path);
  const data = await progress.stage("reading the data", () => recipe.data());
  const { floatGraph } = await import("../../train/integer/integerTraining.ts");
  const opened = (weights: ReadonlyMap<string, Float32Array>): Opened => {
    const int8 = floatGraph(recipe, data, weights, seed);
    const source = { name: path.replace(/^.*[\\/]/, ""), bytes, graph: int8, trained: { recipe, data, weights } };
    return { source, data, before: int8, int8, evidence: {} };
  };
  let before: Opened;
  let graph: Graph;
  if (from === undefined) {
    const weights = await taught({ ...recipe, distil: teacher }, data, seed, progress);
    before = opened(weights);
    graph = before.int8;
  } else {
    if (epochs === 0) throw new ToolError("USAGE", "training on in integers needs --epochs N.");
    const { readWeights } = await import("../../train/checkpoint.ts");
    await readInput(from);
    before = opened(readWeights(from));
    const rules = await weightRules(options.weights);
    ({ graph } = await trainOn(before, options, { rules, distil: teacher }, progress));
  }
  const members = options.teacherWeights!.length;
  const what = `${recipe.name}, taught by ${members === 1 ? "" : `${members} of `}${options.teacher}${from === undefined ? "" : `, ${options.weights}, ${epochs} epochs in integers`}.`;
  await writeOutcome(output, { ...before, name: recipe.name, what, graph }, options, progress);
}

async function taught(
  recipe: Recipe,
  data: Opened["data"],
  seed: number,
  progress: Progress,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { Trainer } = await import("../../train/trainer.ts");
  const trainer = new Trainer(recipe, data, seed);
  await progress.stage(`training ${recipe.epochs} epochs`, () => {
    while (!trainer.isDone) trainer.step();
    trainer.finish();
  });
  return new Map(trainer.parameters.all.map(({ name, data: values }) => [name, values]));
}
