// Samples in memory, and what is taken of them for a step. Invariant: the order of an epoch depends on (seed, epoch)
// alone and a sample's augmentation on (seed, epoch, sample) alone, so a run can be resumed anywhere.

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { Random } from "./random.ts";

export interface Samples {
  /** one after the other, each of `shape` */
  readonly x: Float32Array;
  readonly shape: readonly number[];
  /** a label each (Int32Array), or the wanted outputs one after the other (Float32Array) */
  readonly y: Int32Array | Float32Array;
  readonly count: number;
}

export interface Dataset {
  readonly train: Samples;
  /** for early stopping, schedules and choices; without it, a choice can be made on nothing but the training loss */
  readonly validation?: Samples;
  /** judged once, at the end */
  readonly test: Samples;
  /** names of the classes; absent for regression */
  readonly classes?: readonly string[];
  /** where the data is from, its licence, and how it was split */
  readonly source: string;
}

/** Writes a changed copy of a sample to `to`, which starts as zeros. */
export type Augment = (from: Float32Array, to: Float32Array, shape: readonly number[], random: Random) => void;

/** Throws BAD_INPUT in one sentence for the first thing that is wrong: counts, labels, NaN, an empty class. */
export function checkSamples(
  name: string,
  { x, shape, y, count }: Samples,
  classes: readonly string[] | undefined,
): void {
  const wrong = (message: string): never => {
    throw new ToolError("BAD_INPUT", `the ${name} data: ${message}`);
  };
  if (count < 1) wrong("is empty.");
  const size = elementCount(shape);
  if (x.length !== count * size)
    wrong(`${count} samples of [${shape}] need ${count * size} values but there are ${x.length}.`);
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) wrong(`sample ${Math.floor(bad / size)} holds ${x[bad]}; remove or repair it.`);
  if (!classes) {
    if (y.length % count !== 0 || y.length === 0) wrong(`has ${y.length} wanted values for ${count} samples.`);
    const badTarget = y.findIndex((value) => !Number.isFinite(value));
    if (badTarget >= 0) wrong(`wanted value ${badTarget} is ${y[badTarget]}; remove or repair it.`);
    return;
  }
  if (y.length !== count) wrong(`has ${y.length} labels for ${count} samples.`);
  const counts = new Uint32Array(classes.length);
  for (const [i, label] of y.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < classes.length)) {
      wrong(`the label of sample ${i} is ${label} but there are ${classes.length} classes, 0 … ${classes.length - 1}.`);
    }
    counts[label]!++;
  }
  const empty = counts.indexOf(0);
  if (empty >= 0 && name === "training")
    wrong(`has no sample of class ${empty} ("${classes[empty]}"); add some or remove the class.`);
}

export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  return new Random(seed).fork(`order ${epoch}`).shuffle(Uint32Array.from({ length: count }, (_, i) => i));
}

/** Copies samples `indices[from … from + count)` into `x` and `y`, augmented if asked. */
export function takeBatch(
  samples: Samples,
  indices: ArrayLike<number>,
  from: number,
  count: number,
  x: Float32Array,
  y: Int32Array | Float32Array,
  augmenting?: { readonly augment: Augment; readonly seed: number; readonly epoch: number },
): void {
  const size = elementCount(samples.shape);
  const targetSize = samples.y.length / samples.count;
  if (augmenting) x.fill(0);
  for (let i = 0; i < count; i++) {
    const index = indices[from + i]!;
    const sample = samples.x.subarray(index * size, (index + 1) * size);
    const to = x.subarray(i * size, (i + 1) * size);
    if (augmenting) {
      const key = Math.imul(augmenting.epoch + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
      augmenting.augment(sample, to, samples.shape, new Random(augmenting.seed ^ key));
    } else {
      to.set(sample);
    }
    for (let j = 0; j < targetSize; j++) y[i * targetSize + j] = samples.y[index * targetSize + j]!;
  }
}

/** The samples of these indices. */
export function select(samples: Samples, indices: ArrayLike<number>): Samples {
  const count = indices.length;
  const x = new Float32Array(count * elementCount(samples.shape));
  const length = (samples.y.length / samples.count) * count;
  const y = samples.y instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  takeBatch(samples, indices, 0, count, x, y);
  return { x, y, shape: samples.shape, count };
}

/** A stratified split: of every class the same share, drawn by seed, goes to the second part. */
export function split(samples: Samples, share: number, seed: number): readonly [rest: Samples, part: Samples] {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < samples.count; i++) {
    const label = samples.y instanceof Int32Array ? samples.y[i]! : 0;
    const members = groups.get(label);
    if (members) members.push(i);
    else groups.set(label, [i]);
  }
  const rest: number[] = [];
  const part: number[] = [];
  for (const [label, members] of [...groups].sort(([a], [b]) => a - b)) {
    new Random(seed).fork(`split ${label}`).shuffle(members);
    const count = Math.round(members.length * share);
    part.push(...members.slice(0, count));
    rest.push(...members.slice(count));
  }
  return [
    select(
      samples,
      rest.sort((a, b) => a - b),
    ),
    select(
      samples,
      part.sort((a, b) => a - b),
    ),
  ];
}
