/**
 * `mote-runtime/train`: trains small nets in float32 and packs them for the core. Node only.
 *
 * ```ts
 * export default defineRecipe({
 *   name: "xor", description: "…", data, batch: "all", epochs: 300, optimizer: adam(), schedule: constant(0.05),
 *   net: () => sequential(dense(8, { activation: "tanh" }), dense(2)),
 * });
 * ```
 *
 * and `mote train recipe.ts`, or {@link Trainer} in a program of your own.
 *
 * @module
 */
export { ToolError } from "../errors.ts";
export { type ImageChanges, imageAugment, type SequenceChanges, sequenceAugment } from "./augment.ts";
export { type Checkpoint, readCheckpoint, readWeights, writeCheckpoint, writeWeights } from "./checkpoint.ts";
export { type CsvTable, readCsv } from "./data/csv.ts";
export { imageFolder, type Labelled, npySamples, wavFolder } from "./data/folders.ts";
export { type IdxArray, readIdx } from "./data/idx.ts";
export { folderOf, readVerified } from "./data/verified.ts";
export type { Distil } from "./distil.ts";
export { type ExportOptions, exportInt8, type Inference } from "./export/exportInt8.ts";
export { type FromGraphOptions, fromGraph } from "./fromGraph.ts";
export { averageWeights, ensemble, ensembleWeights, named, type Weights } from "./fusion.ts";
export * as initialisers from "./initialisers.ts";
export { IntegerNet, realParameters } from "./integer/integerNet.ts";
export { type IntegerTraining, integerRecipe, integerTraining, type WeightChoice } from "./integer/integerTraining.ts";
export * from "./layers.ts";
export { Machine } from "./machine.ts";
export * as metrics from "./metrics.ts";
export * as ops from "./ops/index.ts";
export { adagrad, adam, adamw, type Optimizer, rmsprop, sgd } from "./optimizers.ts";
export { Program, type ProgramOptions } from "./program.ts";
export type { Prune, Structure } from "./pruning.ts";
export { Random } from "./random.ts";
export { defineRecipe, type LossName, type Recipe } from "./recipe.ts";
export { evaluateReference } from "./reference.ts";
export { type Augment, type Dataset, type Samples, select, split } from "./samples.ts";
export { constant, cosine, exponential, oneCycle, plateau, type Schedule, step, warmUp } from "./schedules.ts";
export {
  type BackwardPass,
  type Behaviour,
  type Emit,
  type Parameter,
  ParameterSet,
  Trace,
  type Value,
} from "./trace.ts";
export { type EpochRecord, type Progress, type Scores, Trainer } from "./trainer.ts";
