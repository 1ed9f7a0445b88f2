// Pruning while training: a share of each layer's weights is zero, and the others learn to do without. Magnitude: Han et al.,
// 2015; Σ|w·x|: Sun et al., "Wanda", 2023; the cubic schedule: Zhu & Gupta, "To prune, or not to prune", 2017.
// Invariant: after every step a masked weight is 0, whatever the optimizer did, so integer training keeps it 0 too; once
// the schedule has ended the masks stay.

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { groupsOfRuns } from "../prune/groups.ts";
import type { Machine } from "./machine.ts";
import type { Samples } from "./samples.ts";
import type { Parameter, Trace, Value } from "./trace.ts";

/** `channels`: whole outputs; N:M: of each `of` inputs in a row `keep` stay; `block`: those the sparse kernels leave out. */
export type Structure = "unstructured" | "block" | "channels" | { readonly keep: number; readonly of: number };

export interface Prune {
  /** part of the weights to be zero, 0 … 1, of all layers or by parameter name (undefined leaves it alone) */
  readonly zeros: number | ((name: string) => number | undefined);
  readonly structure?: Structure;
  /** |w|, or |w| times the mean |x| that it meets; magnitude unless said otherwise */
  readonly importance?: "magnitude" | "activation";
  /**
   * "oneShot" after the first step; "cubic" between two parts of the training (0 … 0.5 unless said otherwise), every so
   * many steps (16)
   */
  readonly schedule?: "oneShot" | { readonly from?: number; readonly to?: number; readonly every?: number };
}

/** Samples that |x| is measured on. */
const SAMPLES = 64;

export class Pruning {
  readonly #options: Prune;
  readonly #machine: Machine;
  readonly #layers: readonly { readonly parameter: Parameter; readonly zeros: number }[];
  readonly #masks: Map<Parameter, Float32Array>;
  readonly #meets: ((parameter: Parameter) => Float32Array) | undefined;

  constructor(options: Prune, machine: Machine, inference: { trace: Trace; input: Value }, samples: Samples) {
    const { zeros, importance } = options;
    this.#options = options;
    this.#machine = machine;
    this.#layers = machine.trained.filter(isPrunable).flatMap((parameter) => {
      const part = typeof zeros === "number" ? zeros : zeros(parameter.name);
      if (part === undefined) return [];
      if (!(part >= 0 && part < 1))
        throw new ToolError(
          "USAGE",
          `${parameter.name}: the part of zeros is ${part}, expected 0 or more and below 1.`,
        );
      return [{ parameter, zeros: part }];
    });
    if (this.#layers.length === 0)
      throw new ToolError("USAGE", "no weights are left to prune; the rule of zeros excludes them all.");
    this.#masks = new Map(
      this.#layers.map(({ parameter }) => [parameter, new Float32Array(elementCount(parameter.shape)).fill(1)]),
    );
    if (importance === "activation") this.#meets = meanInputs(machine, inference, samples);
  }

  /** part of the final zeros that step `step` of `total` should have */
  #progress(step: number, total: number): number {
    const { schedule = {} } = this.#options;
    if (schedule === "oneShot") return 1;
    const { from = 0, to = 0.5 } = schedule;
    const t = Math.min(1, Math.max(0, (step / total - from) / (to - from)));
    return 1 - (1 - t) ** 3;
  }

  #isDue(step: number, total: number): boolean {
    const { schedule = {} } = this.#options;
    if (schedule === "oneShot") return step === 1;
    const { from = 0, to = 0.5, every = 16 } = schedule;
    const last = Math.ceil(to * total);
    return step >= from * total && (step === last || (step < last && step % every === 0));
  }

  afterStep(step: number, total: number): void {
    if (this.#isDue(step, total)) {
      const part = this.#progress(step, total);
      for (const { parameter, zeros } of this.#layers) this.#masks.set(parameter, this.#mask(parameter, zeros * part));
    }
    this.apply();
  }

  apply(): void {
    for (const [parameter, mask] of this.#masks) {
      this.#machine.write(
        parameter,
        this.#machine.read(parameter).map((value, i) => value * mask[i]!),
      );
    }
  }

  save(): Float32Array {
    return Float32Array.from([...this.#masks.values()].flatMap((mask) => [...mask]));
  }

  restore(masks: Float32Array): void {
    let at = 0;
    for (const mask of this.#masks.values()) {
      mask.set(masks.subarray(at, at + mask.length));
      at += mask.length;
    }
  }

  #mask(parameter: Parameter, zeros: number): Float32Array {
    const values = this.#machine.read(parameter);
    const outputs = parameter.shape[0]!;
    const inputs = values.length / outputs;
    const meets = this.#meets?.(parameter);
    const scores = values.map((value, i) => Math.abs(value) * (meets ? meets[(i % inputs) % meets.length]! : 1));
    const mask = new Float32Array(values.length).fill(1);
    const { structure = "unstructured" } = this.#options;
    if (typeof structure === "object") {
      // the share of the schedule first takes from every run of M what is least, up to M − N
      const gone = Math.round(
        (structure.of - structure.keep) * Math.min(1, zeros / (1 - structure.keep / structure.of)),
      );
      for (let row = 0; row < values.length; row += inputs) {
        for (let k = row; k < row + inputs; k += structure.of) {
          const run = range(k, Math.min(k + structure.of, row + inputs));
          for (const i of least(run, (i) => scores[i]!, gone)) mask[i] = 0;
        }
      }
      return mask;
    }
    const groups = groupsOf(structure, parameter.shape, inputs);
    const sums = groups.map((group) => group.reduce((sum, i) => sum + scores[i]! ** 2, 0));
    for (const g of least([...groups.keys()], (i) => sums[i]!, Math.floor(zeros * groups.length)))
      for (const i of groups[g]!) mask[i] = 0;
    return mask;
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function least(indices: readonly number[], score: (index: number) => number, count: number): number[] {
  return [...indices].sort((a, b) => score(a) - score(b) || a - b).slice(0, count);
}

/** Weights [outputs, …] that multiply: no biases, norms, or kernels of one channel. */
const isPrunable = ({ decays, shape }: Parameter): boolean => decays && shape.length >= 2 && shape[0]! > 1;

function groupsOf(
  structure: "unstructured" | "block" | "channels",
  shape: readonly number[],
  inputs: number,
): number[][] {
  const outputs = shape[0]!;
  if (structure === "channels") return range(0, outputs).map((n) => range(n * inputs, (n + 1) * inputs));
  if (structure === "unstructured") return range(0, outputs * inputs).map((i) => [i]);
  return groupsOfRuns(outputs, inputs, shape.length === 4 ? shape[2]! * shape[3]! : inputs);
}

/** Mean |x| that each input of a layer takes, over samples: of the last axis of what its product reads. */
function meanInputs(
  machine: Machine,
  { trace, input }: { trace: Trace; input: Value },
  samples: Samples,
): (parameter: Parameter) => Float32Array {
  const readers = (value: Value): Value[] => trace.values.filter(({ inputs }) => inputs.includes(value));
  const read = new Map<Parameter, Value>();
  for (const value of trace.values) {
    if (!value.parameter || !isPrunable(value.parameter)) continue;
    const [first] = readers(value);
    const product = first?.op === "weightCodes" ? readers(first)[0] : first;
    if (product?.inputs[0] && product.inputs[0] !== value) read.set(value.parameter, product.inputs[0]);
  }
  const watched = [...new Set(read.values())];
  const program = machine.compile(trace, { outputs: watched });
  const size = elementCount(samples.shape);
  return (parameter) => {
    const value = read.get(parameter);
    if (!value) return Float32Array.of(1);
    const sums = new Float32Array(value.shape.at(-1)!);
    const taken = Math.min(SAMPLES, samples.count);
    for (let i = 0; i < taken; i++) {
      const from = Math.floor((i * samples.count) / taken) * size;
      program.set(input.name, samples.x.subarray(from, from + size));
      program.run();
      program.get(value).forEach((x, at) => {
        sums[at % sums.length]! += Math.abs(x);
      });
    }
    return sums;
  };
}
