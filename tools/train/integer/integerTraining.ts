// A step of a recipe: a trained float net becomes an integer one with the weights that are asked for, and trains on under the
// runtime's own rule, pruned or taught by its float self where wanted. Invariant: the recipe it gives is like any other; its
// `integer` net makes the graph that is packed.

import { existsSync } from "node:fs";
import { ToolError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { parseWeights } from "../../quantize/precision.ts";
import { parseRules, type Rules } from "../../quantize/rules.ts";
import { recodeWeights } from "../../quantize/weights.ts";
import { readWeights } from "../checkpoint.ts";
import type { Distil } from "../distil.ts";
import { exportInt8 } from "../export/exportInt8.ts";
import { adam } from "../optimizers.ts";
import type { Prune } from "../pruning.ts";
import type { Recipe } from "../recipe.ts";
import type { Dataset } from "../samples.ts";
import { cosine } from "../schedules.ts";
import { Trainer } from "../trainer.ts";
import { IntegerNet, realParameters } from "./integerNet.ts";

/** "int4", or by layer name as in a file of rules (tools/quantize/rules.ts); the names are those of the float export. */
export type WeightChoice =
  | string
  | {
      readonly default?: string;
      readonly layers: readonly { readonly match: string; readonly weights: string }[];
    };

export interface IntegerTraining {
  /** of the model; the base's and the weights' unless said otherwise */
  readonly name?: string;
  readonly description?: string;
  /** int8 unless said otherwise */
  readonly weights?: WeightChoice;
  /** the same as parsed rules */
  readonly rules?: Rules;
  readonly epochs: number;
  /** highest learning rate; falls by a cosine */
  readonly rate: number;
  readonly prune?: Prune;
  /** teaches by the float net itself; "self", or another teacher */
  readonly distil?: Distil | "self";
}

export function rulesOf(choice: WeightChoice): Rules {
  return typeof choice === "string"
    ? { default: parseWeights(choice, "weights"), layers: [] }
    : parseRules(JSON.stringify(choice), "weights");
}

/** The int8 graph of a float recipe with `weights`, ranges from its training samples. */
export function floatGraph(base: Recipe, data: Dataset, weights: ReadonlyMap<string, Float32Array>, seed = 0): Graph {
  const trainer = new Trainer({ ...base, initial: () => weights }, data, seed);
  return exportInt8(trainer.machine, trainer.inference, {
    name: base.name,
    samples: data.train,
    head: data.classes ? "softmax" : base.loss === "binaryCrossEntropy" ? "logistic" : "none",
    ...(base.calibration && { count: base.calibration }),
  });
}

/** `weights`: those of the trained float net by parameter name. */
export function integerRecipe(
  base: Recipe,
  graph: Graph,
  weights: ReadonlyMap<string, Float32Array>,
  options: IntegerTraining,
): Recipe {
  const { weights: choice = "int8", epochs, rate, prune, distil } = options;
  const rules = options.rules ?? rulesOf(choice);
  const coded = rules.default.kind === "int8" && rules.layers.length === 0 ? graph : recodeWeights(graph, rules);
  const integer = new IntegerNet(coded, realParameters(graph));
  const name =
    options.name ?? `${base.name}-${typeof choice === "string" ? choice.replace(/[^a-z0-9]+/g, "-") : "mixed"}`;
  const { freeze: _, initial: __, loss: ___, prune: ____, average: _____, ...rest } = base;
  return {
    ...rest,
    name,
    description: options.description ?? `${base.description} Trained on in integers.`,
    net: () => integer.layer,
    integer,
    epochs,
    optimizer: adam(),
    schedule: cosine(rate),
    ...(prune && { prune }),
    ...(distil && { distil: distil === "self" ? { teacher: () => base.net(), weights: () => weights } : distil }),
  };
}

/** For a recipe file: `export default await integerTraining(cnn, { from: "cnn/weights.bin", weights: "int4", … })`. */
export async function integerTraining(
  base: Recipe,
  { from, ...options }: IntegerTraining & { readonly from: string },
): Promise<Recipe> {
  if (!existsSync(from)) {
    throw new ToolError(
      "BAD_FILE",
      `${from} cannot be read: there is no such file; train the float recipe ${base.name} first, its folder has weights.bin.`,
    );
  }
  const weights = readWeights(from);
  const data = await base.data();
  return integerRecipe({ ...base, data: () => data }, floatGraph(base, data, weights), weights, options);
}
