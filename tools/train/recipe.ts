// What a recipe says: data, net, how to train. Invariant: everything that changes the result is in here or is the
// seed; a recipe file exports one as its default.

import type { Meaning } from "../../host/format/header.ts";
import type { Distil } from "./distil.ts";
import type { IntegerNet } from "./integer/integerNet.ts";
import type { Layer } from "./layers.ts";
import type { Optimizer } from "./optimizers.ts";
import type { Prune } from "./pruning.ts";
import type { Augment, Dataset } from "./samples.ts";
import type { Schedule } from "./schedules.ts";
import type { Value } from "./trace.ts";

export type LossName = "crossEntropy" | "binaryCrossEntropy" | "meanSquaredError";

export interface Recipe {
  /** of the model: a short word */
  readonly name: string;
  /** one sentence for the card */
  readonly description: string;
  data(): Dataset | Promise<Dataset>;
  /** makes the net; its input is [batch, ...sample shape], its output scores (logits) or values */
  net(): Layer;
  /** crossEntropy where there are classes, else meanSquaredError; or a function of output and target that gives one number */
  readonly loss?: LossName | ((output: Value, target: Value) => Value);
  /** samples a step; "all" is the whole training set */
  readonly batch: number | "all";
  readonly epochs: number;
  /** "lbfgs" takes the whole training set at once */
  readonly optimizer: Optimizer | "lbfgs";
  readonly schedule: Schedule;
  readonly labelSmoothing?: number;
  readonly augment?: Augment;
  /** longest gradient; absent: any */
  readonly clipNorm?: number;
  /** epochs without a better validation loss after which training ends; the best weights are taken */
  readonly patience?: number;
  /**
   * parts of a batch whose gradients are made apart and added in order: as many workers can share a step. Part of the
   * arithmetic (batch norm sees one part), so the same number gives the same bytes on any number of workers
   */
  readonly shards?: number;
  /** averages the weights of the last share of the epochs (Izmailov et al., 2018) */
  readonly average?: { readonly from: number };
  /** parameters that keep their values, by name */
  readonly freeze?: (name: string) => boolean;
  /** initial values by parameter name, for those that it has: fine-tuning */
  readonly initial?: () => ReadonlyMap<string, Float32Array>;
  /** weights that become zero while training, and stay so */
  readonly prune?: Prune;
  /** learns from another net besides the labels */
  readonly distil?: Distil;
  /** the integer net that `net` is the layer of: its graph is packed (integerTraining sets it) */
  readonly integer?: IntegerNet;
  /** what the input stands for, so that pictures and sounds can be given to the packed model */
  readonly meaning?: Meaning;
  /** samples that calibrate the int8 ranges; 256 unless said otherwise */
  readonly calibration?: number;
}

/** For types and completion in a recipe file: `export default defineRecipe({ … })`. */
export const defineRecipe = (recipe: Recipe): Recipe => recipe;
