// `mote train`: a recipe → a trained, packed, judged model with its card and report. Invariant: after an interruption
// at any moment the folder holds a whole checkpoint (or none), and the same command goes on from it, bit for bit.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { loadModel } from "../../../host/targets/node.ts";
import { ToolError } from "../../errors.ts";
import type { Trainer } from "../../train/trainer.ts";
import { wholeNumber } from "../counts.ts";
import { makeFolder, readInput, writeWhole } from "../files.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { fields } from "../table.ts";
import { TrainingProgress } from "../trainingProgress.ts";

const MORE = `
The folder gets model.mote, card.md, card.json, report.html (one file, with learning curves, confusion, examples got
wrong) and weights.bin, the float weights (readWeights gives them to another recipe). Interrupt with Ctrl-C; the same command resumes.

Examples:
  mote train models/mnist/mlp.ts
  mote train recipe.ts --seed 3 --output runs/third --json

Exit status: 0 done, 1 the work failed or was interrupted, 2 bad usage.`;

const SAVE_EVERY_MS = 15_000;

interface TrainOptions extends OutputOptions {
  readonly seed: number;
  readonly output?: string;
  readonly workers: number;
}

export function addTrain(program: Command): void {
  program
    .command("train")
    .summary("train a model from a recipe and pack it")
    .description("Train a model from a recipe in TypeScript: data, net, training, evaluation, packing.")
    .argument("<recipe>", "a .ts or .js file whose default export is a recipe")
    .option("--seed <n>", "seed of weights, order, dropout and augmentation", wholeNumber(0), 0)
    .option("-o, --output <folder>", "where everything goes (default: the recipe's name, beside you)")
    .option("--workers <n>", "threads that share each step; the recipe's shards are the most", wholeNumber(1), 1)
    .option("--json", "print one JSON object: the card")
    .addHelpText("after", MORE)
    .action(train);
}

async function train(path: string, options: TrainOptions): Promise<void> {
  const { seed, workers: threads } = options;
  const folder = options.output ?? basename(path).replace(/\.[^.]*$/, "");
  const progress = new Progress();
  await makeFolder(folder);
  const { openRecipe } = await import("../../train/recipeFile.ts");
  const { readCheckpoint, writeCheckpoint } = await import("../../train/checkpoint.ts");
  const { Trainer } = await import("../../train/trainer.ts");
  const { WorkerPool } = await import("../../train/workers.ts");
  const { recipe, module } = await progress.stage(`compiling ${path}`, () => openRecipe(path, folder));
  const data = await progress.stage("reading the data", () => recipe.data());
  const trainer = new Trainer(recipe, data, seed);
  const checkpoint = join(folder, "checkpoint.bin");
  if (existsSync(checkpoint)) {
    trainer.resume(readCheckpoint(checkpoint));
    progress.show(`resuming at step ${trainer.progress.step} of ${trainer.totalSteps}`);
  }
  const pool = threads > 1 ? await WorkerPool.open(trainer, module, threads) : undefined;
  trainer.workers = pool;
  try {
    await runSteps(trainer, () => writeCheckpoint(checkpoint, trainer.save()));
  } finally {
    await pool?.close();
  }
  const card = await finish(trainer, path, folder, progress);
  await rm(checkpoint, { force: true });
  print(options, { ...card, folder }, () =>
    fields([...card.facts.map(([name, value]) => [name, value] as const), ["written", folder]]),
  );
}

/** All steps that are left, with a checkpoint now and then, and one when interrupted. */
async function runSteps(trainer: Trainer, save: () => void): Promise<void> {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const display = new TrainingProgress(trainer);
  let saved = performance.now();
  try {
    while (!trainer.isDone) {
      trainer.step();
      display.show();
      if (performance.now() - saved > SAVE_EVERY_MS) {
        save();
        saved = performance.now();
      }
      // lets signals and the terminal in
      await new Promise((resolve) => setImmediate(resolve));
      if (interrupted) {
        save();
        throw new ToolError(
          "INTERRUPTED",
          `interrupted at step ${trainer.progress.step} of ${trainer.totalSteps}; the same command goes on from there.`,
        );
      }
    }
    save();
  } finally {
    display.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

async function finish(trainer: Trainer, path: string, folder: string, progress: Progress) {
  const { exportInt8, parameterCount } = await import("../../train/export/exportInt8.ts");
  const { writeWeights } = await import("../../train/checkpoint.ts");
  const { packGraph } = await import("../../pack/pack.ts");
  const { cardText, makeCard } = await import("../../train/report/card.ts");
  const { trainingReport } = await import("../../train/report/trainingReport.ts");
  const { judgePacked } = await import("../judgePacked.ts");
  const { recipe, data } = trainer;
  trainer.finish();
  const scores = await progress.stage("judging on the test data", () => trainer.evaluate(data.test));
  const { classes } = data;
  const packed = await progress.stage("packing", async () => {
    const head = classes ? "softmax" : recipe.loss === "binaryCrossEntropy" ? "logistic" : "none";
    const graph = recipe.integer
      ? { ...recipe.integer.toGraph(trainer.machine, trainer.inference.trace), name: recipe.name }
      : exportInt8(trainer.machine, trainer.inference, {
          name: recipe.name,
          samples: data.train,
          head,
          ...(recipe.calibration && { count: recipe.calibration }),
        });
    const meanings = recipe.meaning && { input: recipe.meaning };
    const sourceBytes = await readInput(path);
    return packGraph(graph, {
      source: basename(path),
      sourceBytes,
      ...(classes && { labels: classes }),
      ...(meanings && { meanings }),
    }).bytes;
  });
  const model = await loadModel(packed);
  const judged = await progress.stage("judging the packed model", () => judgePacked(model, data, scores.outputs));
  const card = makeCard(trainer, {
    parameters: parameterCount(trainer.inference.trace),
    floatLoss: scores.loss,
    floatAccuracy: scores.accuracy,
    ...judged,
    modelBytes: packed.length,
    memoryBytes: model.memoryBytes,
  });
  writeWeights(join(folder, "weights.bin"), trainer.parameters);
  await writeWhole(join(folder, "card.json"), Buffer.from(`${JSON.stringify(card, null, 2)}\n`));
  await writeWhole(join(folder, "card.md"), Buffer.from(cardText(card)));
  await writeWhole(join(folder, "report.html"), Buffer.from(trainingReport(trainer, scores, card)));
  await writeWhole(join(folder, "model.mote"), packed);
  return card;
}
