// Small tasks that train in milliseconds, for tests of the trainer and of what comes after it.
import { dense, dropout, sequential } from "../../tools/train/layers.ts";
import { adam } from "../../tools/train/optimizers.ts";
import { Random } from "../../tools/train/random.ts";
import type { Recipe } from "../../tools/train/recipe.ts";
import type { Dataset, Samples } from "../../tools/train/samples.ts";
import { constant } from "../../tools/train/schedules.ts";

/** Points around three centres, with noise that makes some of them hard. */
export function blobs(count: number, seed: number, shape: readonly number[] = [4], noise = 0.6): Samples {
  const random = new Random(seed);
  const size = shape.reduce((product, n) => product * n, 1);
  const y = Int32Array.from({ length: count }, (_, i) => i % 3);
  const centre = (label: number, j: number): number => Math.sin(1 + label * 2 + j * 1.7);
  const x = Float32Array.from(
    { length: count * size },
    (_, i) => centre(y[Math.floor(i / size)]!, i % size) + noise * random.normal(),
  );
  return { x, shape, y, count };
}

export function blobData(shape: readonly number[] = [4], count = 96): Dataset {
  return {
    train: blobs(count, 1, shape),
    validation: blobs(48, 2, shape),
    test: blobs(107, 3, shape),
    classes: ["a", "b", "c"],
    source: "drawn",
  };
}

export function tinyRecipe(changes: Partial<Recipe> = {}): Recipe {
  return {
    name: "tiny",
    description: "A tiny classifier.",
    data: () => blobData(),
    net: () => sequential(dense(16, { activation: "relu" }), dropout(0.2), dense(3)),
    batch: 16,
    epochs: 6,
    optimizer: adam(),
    schedule: constant(0.01),
    ...changes,
  };
}
