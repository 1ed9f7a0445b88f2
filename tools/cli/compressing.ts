// What the compressing commands share: a model and data opened, an int8 base, training on in integers. Invariant: nothing here
// writes a file; the held-out part of the data takes no part in any choice.

import type { Command } from "commander";
import { ToolError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Rules } from "../quantize/rules.ts";
import type { Evidence } from "../quantize/weights.ts";
import type { IntegerTraining } from "../train/integer/integerTraining.ts";
import type { Recipe } from "../train/recipe.ts";
import type { Dataset } from "../train/samples.ts";
import { positive, wholeNumber } from "./counts.ts";
import { setsOf } from "./outcome.ts";
import type { OutputOptions } from "./output.ts";
import type { Progress } from "./progress.ts";
import { datasetAt } from "./samples.ts";
import { openSource, type Source } from "./sourceGraph.ts";

export const DATA_HELP = `
MODEL is an .onnx or .tflite file, float or int8, or a recipe with --from FOLDER/weights.bin of its training. DATA is a recipe or a
folder with x.npy and y.npy (a fifth of each class is then held out); a recipe as MODEL brings its own. The folder gets
model.mote, card.json, card.md and report.html.`;

export interface CompressOptions extends OutputOptions {
  readonly output?: string;
  readonly data?: string;
  readonly from?: string;
  readonly observer?: string;
  readonly samples: number;
}

export interface TrainingOptions {
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
}

export const withCompressOptions = (command: Command): Command =>
  command
    .option("-o, --output <folder>", "where everything goes")
    .option("--data <path>", "a recipe, or a folder with x.npy and y.npy")
    .option("--from <file>", "the weights.bin of a recipe that is given as the model")
    .option("--observer <rule>", "how ranges follow from calibration: minmax, average, percentile:P, mse, entropy")
    .option("--samples <n>", "training samples that a float model is calibrated on", wholeNumber(1), 128);

export const withTrainingOptions = (command: Command): Command =>
  command
    .option("--epochs <n>", "epochs of training on in integers; 0 is none", wholeNumber(0), 0)
    .option("--rate <x>", "highest learning rate of it", positive(1), 1e-3)
    .option("--seed <n>", "seed of it", wholeNumber(0), 0);

export interface Opened {
  readonly source: Source;
  readonly data: Dataset;
  /** the model before: float where it is, else int8 */
  readonly before: Graph;
  readonly int8: Graph;
  readonly evidence: Evidence;
}

export async function openForCompressing(path: string, options: CompressOptions, progress: Progress): Promise<Opened> {
  const source = await progress.stage(`reading ${path}`, () => openSource(path, options.from));
  const { graph, trained } = source;
  if (!trained && options.data === undefined)
    throw new ToolError("USAGE", "a model file needs samples to calibrate and judge on: add --data PATH.");
  const data =
    trained && options.data === undefined
      ? trained.data
      : await progress.stage("reading the data", () => datasetAt(options.data!, graph.tensors[graph.inputs[0]!]!));
  const isFloat = graph.nodes.some(({ op }) => /^float(Conv|Matmul)$/.test(op));
  if (!isFloat) return { source, data, before: graph, int8: graph, evidence: {} };
  const { postTrainingQuantize } = await import("../quantize/postTraining.ts");
  const { parseObserver } = await import("../quantize/observers.ts");
  const { floatWeights } = await import("../quantize/floatWeights.ts");
  const observer = options.observer === undefined ? {} : { observer: parseObserver(options.observer, "--observer") };
  const sets = setsOf(data.train, options.samples);
  const int8 = await progress.stage("quantizing", () => postTrainingQuantize(graph, sets, observer));
  return { source, data, before: graph, int8, evidence: { reals: floatWeights(graph) } };
}

/** A choice of weights, or the name of a file of rules. */
export async function weightRules(choice: string): Promise<Rules> {
  const { readRules } = await import("./weightRules.ts");
  return readRules(choice);
}

/** Trains on from the int8 graph; a model file is its own recipe. */
export async function trainOn(
  { source, data, int8 }: Opened,
  training: TrainingOptions,
  wanted: Omit<IntegerTraining, "epochs" | "rate">,
  progress: Progress,
): Promise<{ graph: Graph; recipe: Recipe }> {
  const { integerRecipe } = await import("../train/integer/integerTraining.ts");
  const { fromGraph } = await import("../train/fromGraph.ts");
  const { Trainer } = await import("../train/trainer.ts");
  const { adam } = await import("../train/optimizers.ts");
  const { constant } = await import("../train/schedules.ts");
  const base: Recipe = source.trained?.recipe ?? {
    name: int8.name,
    description: `${source.name}, compressed.`,
    data: () => data,
    net: () => fromGraph(int8),
    batch: 32,
    epochs: 1,
    optimizer: adam(),
    schedule: constant(training.rate),
  };
  const weights = source.trained?.weights ?? new Map<string, Float32Array>();
  const { distil, ...others } = wanted;
  // a model file is no net of layers that name themselves, so it cannot teach itself
  const taught = source.trained && distil ? { distil } : {};
  const recipe = integerRecipe(base, int8, weights, {
    ...others,
    ...taught,
    epochs: training.epochs,
    rate: training.rate,
  });
  const trainer = new Trainer(recipe, data, training.seed);
  const shown = Math.max(1, Math.floor(trainer.totalSteps / 100));
  await progress.stage(`training ${training.epochs} epochs in integers`, async () => {
    while (!trainer.isDone) {
      trainer.step();
      if (trainer.progress.step % shown === 0 && process.stderr.isTTY)
        progress.show(
          `step ${trainer.progress.step} of ${trainer.totalSteps}: loss ${trainer.progress.losses.at(-1)!.toPrecision(3)}`,
        );
      await new Promise((resolve) => setImmediate(resolve));
    }
    trainer.finish();
  });
  return { graph: recipe.integer!.toGraph(trainer.machine, trainer.inference.trace), recipe };
}

export function folderOf({ output }: CompressOptions, command: string): string {
  if (output === undefined)
    throw new ToolError("USAGE", `mote ${command} must know where to write: add --output FOLDER.`);
  return output;
}
