// The model card: what was trained on what, how well it does, and how to make it again. Invariant: figures come from
// the run itself; no date and no machine, so the same run gives the same card.

import type { Recipe } from "../recipe.ts";
import type { Trainer } from "../trainer.ts";

export interface Figures {
  readonly parameters: number;
  readonly floatLoss: number;
  /** accuracy of classifiers; undefined for regression */
  readonly floatAccuracy: number | undefined;
  readonly packedAccuracy: number | undefined;
  /** share of test samples of which float and packed model say the same; undefined for regression */
  readonly agreement: number | undefined;
  /** mean squared error of the packed model, for regression */
  readonly packedError: number | undefined;
  readonly modelBytes: number;
  readonly memoryBytes: number;
}

export interface Card {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly data: {
    readonly source: string;
    readonly train: number;
    readonly validation: number;
    readonly test: number;
    readonly classes: readonly string[];
  };
  readonly training: {
    readonly epochs: number;
    readonly steps: number;
    readonly optimizer: string;
    readonly schedule: string;
    readonly batch: Recipe["batch"];
    readonly bestEpoch: number;
    readonly finalLoss: number | undefined;
  };
  readonly figures: Figures;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

export function makeCard(trainer: Trainer, figures: Figures): Card {
  const { recipe, data, progress, seed } = trainer;
  const optimizer = recipe.optimizer === "lbfgs" ? "lbfgs" : recipe.optimizer.name;
  const kind = recipe.integer ? "simulated integers" : "float";
  const facts: [string, string][] = [
    ["data", data.source],
    ["samples", `${data.train.count} training, ${data.validation?.count ?? 0} validation, ${data.test.count} test`],
    [
      "training",
      `${progress.epochs.length} epochs of ${trainer.stepsPerEpoch} steps, ${optimizer}, ${recipe.schedule.name}, seed ${seed}`,
    ],
    ["parameters", String(figures.parameters)],
    [`test loss, ${kind}`, figures.floatLoss.toPrecision(4)],
  ];
  if (figures.floatAccuracy !== undefined) facts.push([`test accuracy, ${kind}`, percent(figures.floatAccuracy)]);
  if (figures.packedAccuracy !== undefined)
    facts.push(["test accuracy, packed integer model run by the core", percent(figures.packedAccuracy)]);
  if (figures.agreement !== undefined) facts.push([`${kind} and packed model agree on`, percent(figures.agreement)]);
  if (figures.packedError !== undefined)
    facts.push(["test mean squared error, packed", figures.packedError.toPrecision(4)]);
  facts.push(["model.mote", `${figures.modelBytes} bytes; ${figures.memoryBytes} bytes of memory`]);
  return {
    name: recipe.name,
    description: recipe.description,
    seed,
    data: {
      source: data.source,
      train: data.train.count,
      validation: data.validation?.count ?? 0,
      test: data.test.count,
      classes: data.classes ?? [],
    },
    training: {
      epochs: progress.epochs.length,
      steps: progress.step,
      optimizer,
      schedule: recipe.schedule.name,
      batch: recipe.batch,
      bestEpoch: progress.bestEpoch + 1,
      finalLoss: progress.losses.at(-1),
    },
    figures,
    facts,
  };
}

export function cardText({ name, description, facts }: Pick<Card, "name" | "description" | "facts">): string {
  return `# ${name}\n\n${description}\n\n|     |     |\n| --- | --- |\n${facts.map(([key, value]) => `| ${key} | ${value} |`).join("\n")}\n`;
}
