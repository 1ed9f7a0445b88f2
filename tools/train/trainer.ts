// Trains a recipe: epochs of steps, evaluation, early stopping, averaging, and a state that can be saved after any
// step. Invariant: the state after step n depends on recipe, data, seed and n alone: not on when it was saved,
// resumed or shown, nor on how many workers shared the work.

import { createHash } from "node:crypto";
import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { distilledLoss, isOfTeacher, withTeacher } from "./distil.ts";
import { type Evaluation, type LbfgsState, lbfgsStep } from "./lbfgs.ts";
import { Machine } from "./machine.ts";
import { accuracy } from "./metrics.ts";
import { binaryCrossEntropy, crossEntropy, meanSquaredError } from "./ops/index.ts";
import { bindUpdates } from "./optimizers.ts";
import type { Program } from "./program.ts";
import { Pruning } from "./pruning.ts";
import type { Recipe } from "./recipe.ts";
import { checkSamples, type Dataset, epochOrder, type Samples, takeBatch } from "./samples.ts";
import { ShardSum, type ShardWorkers } from "./shards.ts";
import { ParameterSet, Trace, type Value } from "./trace.ts";

export interface EpochRecord {
  readonly epoch: number;
  readonly rate: number;
  readonly loss: number;
  readonly validationLoss: number;
  /** undefined for regression */
  readonly validationAccuracy: number | undefined;
}

export interface Progress {
  step: number;
  reductions: number;
  sinceBest: number;
  bestLoss: number;
  bestEpoch: number;
  averaged: number;
  epochLoss: number;
  stopped: boolean;
  readonly losses: number[];
  readonly norms: number[];
  readonly epochs: EpochRecord[];
  lbfgs: LbfgsState;
}

export interface Scores {
  readonly loss: number;
  readonly accuracy: number | undefined;
  /** one row of outputs a sample */
  readonly outputs: Float32Array;
}

const EVALUATION_BATCH = 100;

export class Trainer {
  readonly recipe: Recipe;
  readonly data: Dataset;
  readonly seed: number;
  readonly parameters: ParameterSet;
  readonly machine: Machine;
  readonly progress: Progress;
  readonly stepsPerEpoch: number;
  readonly shards: number;
  /** output values of one sample */
  readonly outputs: number;
  /** the net without dropout and with running statistics, on one sample: what is exported */
  readonly inference: { readonly trace: Trace; readonly input: Value; readonly output: Value };
  workers: ShardWorkers | undefined;
  readonly pruning: Pruning | undefined;
  readonly #batch: number;
  readonly #step: { program: Program; loss: Value; x: Float32Array; y: Int32Array | Float32Array };
  readonly #evaluations: readonly { batch: number; program: Program; output: Value; loss: Value }[];
  readonly #update: () => void;
  #best: Float32Array | undefined;
  #average: Float32Array | undefined;
  #order: { epoch: number; indices: Uint32Array } | undefined;

  constructor(recipe: Recipe, data: Dataset, seed = 0) {
    const { train, validation, test, classes } = data;
    checkSamples("training", train, classes);
    checkSamples("test", test, classes);
    if (validation) checkSamples("validation", validation, classes);
    this.recipe = recipe;
    this.data = data;
    this.seed = seed;
    this.shards = recipe.shards ?? 1;
    const wanted =
      recipe.batch === "all" || recipe.optimizer === "lbfgs" ? train.count : Math.min(recipe.batch, train.count);
    this.#batch = wanted - (wanted % this.shards);
    if (this.#batch < 1)
      throw new ToolError("BAD_INPUT", `${recipe.name}: ${this.shards} shards need at least as many samples a step.`);
    this.stepsPerEpoch = Math.floor(train.count / this.#batch);
    this.parameters = new ParameterSet(seed);
    const net = recipe.net();
    const part = this.#batch / this.shards;
    const step = this.#trace(net, "train", part);
    const evaluations = [EVALUATION_BATCH, 1].map((batch) => ({ batch, ...this.#trace(net, "infer", batch) }));
    this.inference = evaluations[1]!;
    this.outputs = elementCount(this.inference.output.shape);
    const initial = withTeacher(recipe.initial?.(), recipe.distil);
    for (const parameter of this.parameters.all) {
      const given = initial.get(parameter.name);
      if (given && given.length !== parameter.data.length) {
        throw new ToolError(
          "BAD_INPUT",
          `${recipe.name}: the initial "${parameter.name}" has ${given.length} values but [${parameter.shape}] needs ${parameter.data.length}.`,
        );
      }
      if (given) parameter.data = given;
      parameter.isFrozen = isOfTeacher(parameter.name) || (recipe.freeze?.(parameter.name) ?? false);
    }
    const { optimizer } = recipe;
    this.machine = new Machine(this.parameters, optimizer === "lbfgs" ? 0 : optimizer.slots);
    if (this.machine.trained.length === 0)
      throw new ToolError("BAD_INPUT", `${recipe.name}: every parameter is frozen; nothing is left to train.`);
    const like = (count: number): Int32Array | Float32Array =>
      classes ? new Int32Array(count) : new Float32Array(count * (train.y.length / train.count));
    this.#step = {
      program: this.machine.compile(step.trace, { outputs: [step.output], loss: step.loss }),
      loss: step.loss,
      x: new Float32Array(part * elementCount(train.shape)),
      y: like(part),
    };
    this.#evaluations = evaluations.map(({ batch, trace, output, loss }) => ({
      batch,
      program: this.machine.compile(trace, { outputs: [output, loss] }),
      output,
      loss,
    }));
    this.pruning = recipe.prune && new Pruning(recipe.prune, this.machine, this.inference, train);
    this.#update = optimizer === "lbfgs" ? () => undefined : bindUpdates(this.machine, optimizer);
    this.progress = {
      step: 0,
      reductions: 0,
      sinceBest: 0,
      bestLoss: Number.MAX_VALUE,
      bestEpoch: -1,
      averaged: 0,
      epochLoss: 0,
      stopped: false,
      losses: [],
      norms: [],
      epochs: [],
      lbfgs: { steps: [], changes: [] },
    };
  }

  #trace(
    net: (x: Value) => Value,
    mode: "train" | "infer",
    batch: number,
  ): { trace: Trace; input: Value; output: Value; loss: Value } {
    const { recipe, data } = this;
    const trace = new Trace(this.parameters, mode);
    const input = trace.input("input", [batch, ...data.train.shape]);
    const output = net(input);
    const { classes } = data;
    const width = data.train.y.length / data.train.count;
    const target = classes ? trace.input("target", [batch], "int32") : trace.input("target", [batch, width]);
    if (classes && output.shape.join() !== [batch, classes.length].join()) {
      throw new ToolError(
        "BAD_GRAPH",
        `${recipe.name}: the net gives [${output.shape}] but ${batch} samples of ${classes.length} classes need [${batch},${classes.length}].`,
      );
    }
    if (mode === "train" && recipe.distil)
      return { trace, input, output, loss: distilledLoss(recipe.name, recipe.distil, input, output, target) };
    const { loss = classes ? "crossEntropy" : "meanSquaredError" } = recipe;
    if (typeof loss === "function") return { trace, input, output, loss: loss(output, target) };
    const smoothing = mode === "train" ? (recipe.labelSmoothing ?? 0) : 0;
    if (loss === "crossEntropy") return { trace, input, output, loss: crossEntropy(output, target, { smoothing }) };
    const of = loss === "binaryCrossEntropy" ? binaryCrossEntropy : meanSquaredError;
    return { trace, input, output, loss: of(output, target) };
  }

  get totalSteps(): number {
    return this.stepsPerEpoch * this.recipe.epochs;
  }

  get isDone(): boolean {
    return this.progress.stopped || this.progress.step >= this.totalSteps;
  }

  get rate(): number {
    const { step, reductions } = this.progress;
    return this.recipe.schedule.rate(step, this.totalSteps, reductions);
  }

  /** One step; at the end of an epoch also the evaluation. Throws BAD_INPUT when the loss is no longer a number. */
  step(): void {
    const { progress, machine, recipe } = this;
    const rate = this.rate;
    let loss: number;
    let norm: number;
    if (recipe.optimizer === "lbfgs") [loss, norm] = this.#lbfgs(rate);
    else {
      loss = this.workers?.run(progress.step) ?? this.#gradients(progress.step);
      norm = machine.clipGradients(recipe.clipNorm ?? 0);
    }
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new ToolError(
        "BAD_INPUT",
        `${recipe.name}: at step ${progress.step} the loss is ${loss} and the gradient's length ${norm}; use a smaller rate (now ${rate}) or clipNorm. The last checkpoint is whole.`,
      );
    }
    if (recipe.optimizer !== "lbfgs") {
      machine.setRate(...recipe.optimizer.rates(rate, progress.step + 1));
      this.#update();
    }
    progress.losses.push(loss);
    progress.norms.push(norm);
    progress.epochLoss += loss;
    progress.step++;
    this.pruning?.afterStep(progress.step, this.totalSteps);
    if (progress.step % this.stepsPerEpoch === 0) this.#endEpoch(rate);
  }

  /** The gradients of one shard of a step, left in the machine; the loss is returned. Used by workers too. */
  shardGradients(step: number, shard: number): number {
    const { machine, seed, data, recipe } = this;
    const { program, loss, x, y } = this.#step;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) this.#order = { epoch, indices: epochOrder(data.train.count, seed, epoch) };
    const part = this.#batch / this.shards;
    const from = (step % this.stepsPerEpoch) * this.#batch + shard * part;
    const { augment } = recipe;
    takeBatch(data.train, this.#order.indices, from, part, x, y, augment && { augment, seed, epoch });
    program.set("input", x);
    program.set("target", y);
    machine.setSeed(Math.imul(seed ^ 0x27d4eb2f, 0x9e3779b1) ^ Math.imul(step * this.shards + shard + 1, 0x85ebca6b));
    program.run();
    return program.get(loss)[0]!;
  }

  /** Mean over shards, added in their order. */
  #gradients(step: number): number {
    if (this.shards === 1) return this.shardGradients(step, 0);
    const sum = new ShardSum(this);
    for (let shard = 0; shard < this.shards; shard++) {
      if (shard > 0) sum.restoreStatistics();
      const loss = this.shardGradients(step, shard);
      sum.add(loss, this.machine.gradients, this.machine.statisticValues);
    }
    return sum.finish();
  }

  #lbfgs(rate: number): [loss: number, norm: number] {
    const { machine, progress } = this;
    const evaluate = (x: Float64Array): Evaluation => {
      machine.trainedValues.set(x);
      const loss = this.#gradients(progress.step);
      return { loss, gradient: Float64Array.from(machine.gradients) };
    };
    const start = Float64Array.from(machine.trainedValues);
    const at = evaluate(start);
    const { x, at: end, moved } = lbfgsStep(start, at, evaluate, progress.lbfgs, rate);
    machine.trainedValues.set(x);
    // nothing further down along any direction that float32 gradients show
    if (!moved) progress.stopped = true;
    return [end.loss, Math.sqrt(end.gradient.reduce((sum, g) => sum + g * g, 0))];
  }

  #endEpoch(rate: number): void {
    const { progress, recipe, data, machine } = this;
    const epoch = progress.epochs.length;
    const trainLoss = progress.epochLoss / this.stepsPerEpoch;
    progress.epochLoss = 0;
    const { loss, accuracy } = data.validation
      ? this.evaluate(data.validation)
      : { loss: trainLoss, accuracy: undefined };
    progress.epochs.push({ epoch, rate, loss: trainLoss, validationLoss: loss, validationAccuracy: accuracy });
    if (loss < progress.bestLoss) {
      progress.bestLoss = loss;
      progress.bestEpoch = epoch;
      progress.sinceBest = 0;
      if (recipe.patience !== undefined) this.#best = machine.values.slice();
    } else {
      progress.sinceBest++;
      const { patience } = recipe.schedule;
      if (patience !== undefined && progress.sinceBest % patience === 0) progress.reductions++;
      if (recipe.patience !== undefined && progress.sinceBest >= recipe.patience) progress.stopped = true;
    }
    if (recipe.average && epoch + 1 > recipe.average.from * recipe.epochs) {
      progress.averaged++;
      const values = machine.values;
      this.#average ??= new Float32Array(values.length);
      const average = this.#average;
      values.forEach((value, i) => {
        average[i]! += (value - average[i]!) / progress.averaged;
      });
    }
  }

  /** Takes the weights that count: averaged ones, or the best ones of early stopping. Call when done. */
  finish(): void {
    const chosen = this.#average ?? this.#best;
    if (chosen) this.machine.values.set(chosen);
    this.pruning?.apply();
    this.machine.store();
  }

  /** Loss, accuracy and outputs of all samples: a hundred at a time, the rest one by one. */
  evaluate(samples: Samples): Scores {
    const classes = this.data.classes?.length;
    const outputs = new Float32Array(samples.count * this.outputs);
    const all = Uint32Array.from({ length: samples.count }, (_, i) => i);
    const width = samples.y.length / samples.count;
    let total = 0;
    let from = 0;
    for (const { batch, program, output, loss } of this.#evaluations) {
      const x = new Float32Array(batch * elementCount(samples.shape));
      const y = classes ? new Int32Array(batch) : new Float32Array(batch * width);
      for (; from + batch <= samples.count; from += batch) {
        takeBatch(samples, all, from, batch, x, y);
        program.set("input", x);
        program.set("target", y);
        program.run();
        total += program.get(loss)[0]! * batch;
        outputs.set(program.get(output), from * this.outputs);
      }
    }
    return {
      loss: total / samples.count,
      accuracy: classes ? accuracy(outputs, samples.y, classes) : undefined,
      outputs,
    };
  }

  /** Of everything that the arithmetic depends on. */
  get fingerprint(): string {
    const { recipe, data, seed, parameters } = this;
    const { optimizer, schedule } = recipe;
    const hash = createHash("sha256");
    const plain = [
      recipe.batch,
      recipe.epochs,
      recipe.labelSmoothing,
      recipe.clipNorm,
      recipe.patience,
      recipe.shards,
      recipe.average,
      recipe.prune,
    ];
    const rates = [0, 0.25, 0.5, 0.75].map((share) =>
      schedule.rate(Math.floor(share * this.totalSteps), this.totalSteps, 1),
    );
    const update =
      optimizer === "lbfgs"
        ? optimizer
        : [optimizer.name, this.machine.trained.map((p) => optimizer.update(p, this.machine))];
    const shapes = parameters.all.map(({ name, shape, isFrozen }) => [name, shape, isFrozen]);
    hash.update(
      JSON.stringify([plain, rates, update, shapes, seed, recipe.net.toString(), recipe.augment?.toString()]),
    );
    for (const { x, y } of [data.train, ...(data.validation ? [data.validation] : [])]) {
      hash
        .update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength))
        .update(new Uint8Array(y.buffer, y.byteOffset, y.byteLength));
    }
    return hash.digest("hex");
  }

  save(): Checkpoint {
    const arrays: Record<string, Float32Array> = {
      values: this.machine.values.slice(),
      state: this.machine.state.slice(),
    };
    if (this.#best) arrays.best = this.#best;
    if (this.#average) arrays.average = this.#average;
    if (this.pruning) arrays.masks = this.pruning.save();
    return { fingerprint: this.fingerprint, progress: this.progress, arrays };
  }

  /** Goes on where a run of the same recipe, data and seed was saved. Throws BAD_FILE if it was another. */
  resume({ fingerprint, progress, arrays }: Checkpoint): void {
    if (fingerprint !== this.fingerprint) {
      throw new ToolError(
        "BAD_FILE",
        `the checkpoint is of another recipe, seed or data than ${this.recipe.name} with seed ${this.seed}; train from the start or choose another output folder.`,
      );
    }
    Object.assign(this.progress, progress as Progress);
    this.machine.values.set(arrays.values!);
    this.machine.state.set(arrays.state!);
    this.#best = arrays.best;
    this.#average = arrays.average;
    if (arrays.masks) this.pruning?.restore(arrays.masks);
  }
}
