// Training runs: they learn, the same seed gives the same bytes, a resumed run ends as one that was never stopped,
// workers change nothing, and what cannot go on says so.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCheckpoint, readWeights, writeCheckpoint, writeWeights } from "../../tools/train/checkpoint.ts";
import { batchNorm, dense, sequential } from "../../tools/train/layers.ts";
import { adagrad, adam, adamw, rmsprop, sgd } from "../../tools/train/optimizers.ts";
import type { Recipe } from "../../tools/train/recipe.ts";
import type { Dataset } from "../../tools/train/samples.ts";
import { constant, cosine, exponential, oneCycle, plateau, step, warmUp } from "../../tools/train/schedules.ts";
import { Trainer } from "../../tools/train/trainer.ts";
import { blobData, tinyRecipe } from "./tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-train-"));
afterAll(() => rmSync(folder, { recursive: true }));

function trained(recipe: Recipe, seed = 0, data: Dataset = blobData()): Trainer {
  const trainer = new Trainer(recipe, data, seed);
  while (!trainer.isDone) trainer.step();
  return trainer;
}
const bytes = (trainer: Trainer): string => Buffer.from(trainer.machine.values.slice().buffer).toString("base64");

describe("learning", () => {
  it.each([
    ["gradient descent", { optimizer: sgd(), batch: "all", schedule: constant(0.5), epochs: 60 }],
    ["sgd", { optimizer: sgd(), schedule: constant(0.2) }],
    ["momentum", { optimizer: sgd({ momentum: 0.9 }), schedule: constant(0.05) }],
    ["nesterov", { optimizer: sgd({ momentum: 0.9, nesterov: true }), schedule: constant(0.05) }],
    ["adagrad", { optimizer: adagrad(), schedule: constant(0.1) }],
    ["rmsprop", { optimizer: rmsprop(), schedule: constant(0.01) }],
    ["adam", { optimizer: adam() }],
    ["adamw", { optimizer: adamw() }],
    [
      "lbfgs",
      {
        optimizer: "lbfgs",
        schedule: constant(1),
        epochs: 20,
        net: () => sequential(dense(8, { activation: "tanh" }), dense(3)),
      },
    ],
  ] as [string, Partial<Recipe>][])("%s", (_name, changes) => {
    const trainer = trained(tinyRecipe(changes));
    const { losses } = trainer.progress;
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    expect(trainer.evaluate(trainer.data.test).accuracy).toBeGreaterThan(0.85);
  });

  it("of a regression", () => {
    const data = blobData([4]);
    const targets = (count: number, x: Float32Array): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => x[i * 4]! - 2 * x[i * 4 + 3]!);
    const { classes: _, ...rest } = data;
    const part = (name: "train" | "validation" | "test") => ({
      ...rest[name]!,
      y: targets(rest[name]!.count, rest[name]!.x),
    });
    const regression = { train: part("train"), validation: part("validation"), test: part("test"), source: "drawn" };
    const trainer = trained(tinyRecipe({ net: () => dense(1), schedule: constant(0.05), epochs: 40 }), 0, regression);
    expect(trainer.evaluate(regression.test).loss).toBeLessThan(1e-3);
  });
});

describe("the same seed", () => {
  it("gives the same bytes, another seed others", () => {
    expect(bytes(trained(tinyRecipe(), 4))).toBe(bytes(trained(tinyRecipe(), 4)));
    expect(bytes(trained(tinyRecipe(), 4))).not.toBe(bytes(trained(tinyRecipe(), 5)));
  });

  it("gives the same bytes after a stop at any step and a resume from the file", () => {
    const recipe = tinyRecipe({ patience: 3, average: { from: 0.5 }, schedule: plateau(0.02, { patience: 1 }) });
    const whole = trained(recipe, 2);
    for (const stop of [1, 5, 6, 7, 23, 35]) {
      const first = new Trainer(recipe, blobData(), 2);
      while (!first.isDone && first.progress.step < stop) first.step();
      const path = join(folder, "resumed.bin");
      writeCheckpoint(path, first.save());
      const second = new Trainer(recipe, blobData(), 2);
      second.resume(readCheckpoint(path));
      while (!second.isDone) second.step();
      expect(bytes(second)).toBe(bytes(whole));
      expect(second.progress).toEqual(whole.progress);
      second.finish();
    }
  });

  it("gives the same sums for shards made one after the other, with statistics from the same start", () => {
    const net = () => sequential(dense(8), batchNorm({ activation: "relu" }), dense(3));
    const [one, two] = [trained(tinyRecipe({ net, shards: 2 })), trained(tinyRecipe({ net, shards: 2 }))];
    expect(bytes(one)).toBe(bytes(two));
    expect(one.evaluate(one.data.test).accuracy).toBeGreaterThan(0.85);
  });
});

describe("choosing weights", () => {
  it("stops when the validation loss no longer falls and takes the best weights", () => {
    const trainer = trained(tinyRecipe({ patience: 4, epochs: 400, schedule: constant(0.03) }));
    expect(trainer.progress.epochs.length).toBeLessThan(400);
    trainer.finish();
    expect(trainer.evaluate(trainer.data.validation!).loss).toBe(trainer.progress.bestLoss);
  });

  it("averages the last weights", () => {
    const trainer = trained(tinyRecipe({ average: { from: 0.5 } }));
    const last = trainer.machine.values.slice();
    trainer.finish();
    expect(trainer.progress.averaged).toBe(3);
    expect(trainer.machine.values).not.toEqual(last);
  });

  it("fine-tunes from given weights with some of them frozen", () => {
    const base = trained(tinyRecipe());
    base.finish();
    const path = join(folder, "weights.bin");
    writeWeights(path, base.parameters);
    const tuned = trained(
      tinyRecipe({ initial: () => readWeights(path), freeze: (name) => name.startsWith("dense.") }),
      9,
    );
    const of = (trainer: Trainer, name: string): Float32Array => trainer.machine.read(trainer.parameters.get(name)!);
    expect(of(tuned, "dense.weight")).toEqual(of(base, "dense.weight"));
    expect(of(tuned, "dense2.weight")).not.toEqual(of(base, "dense2.weight"));
  });
});

describe("schedules", () => {
  it.each([
    [constant(1), [1, 1, 1]],
    [step(1, { drops: 2 }), [1, 0.1, 0.1]],
    [exponential(1, { last: 0.01 }), [1, 0.1, 0.0105]],
    [cosine(1), [1, 0.5, 0.0002]],
    [oneCycle(1, { rise: 0.5 }), [0.04, 1, 0.0011]],
    [warmUp(10, constant(1)), [0.1, 1, 1]],
  ])("$name", (schedule, [first, middle, last]) => {
    expect(schedule.rate(0, 100, 0)).toBeCloseTo(first!, 3);
    expect(schedule.rate(50, 100, 0)).toBeCloseTo(middle!, 3);
    expect(schedule.rate(99, 100, 0)).toBeCloseTo(last!, 3);
  });

  it("plateau", () => expect(plateau(1, { factor: 0.5 }).rate(3, 10, 2)).toBe(0.25));
});

describe("what cannot go on", () => {
  it("says at which step the loss stopped being a number", () => {
    expect(() => trained(tinyRecipe({ optimizer: sgd(), schedule: constant(1e30) }))).toThrow(
      /at step \d+ the loss is .* smaller rate/,
    );
  });

  it.each([
    ["NaN in a sample", (d: Dataset) => void d.train.x.fill(Number.NaN, 9), /training data: sample 2 holds NaN/],
    [
      "a label out of range",
      (d: Dataset) => void d.train.y.fill(7, 5, 6),
      /label of sample 5 is 7 but there are 3 classes/,
    ],
    ["an empty class", (d: Dataset) => void d.train.y.fill(0), /no sample of class 1 \("b"\)/],
  ])("refuses %s", (_name, spoil, message) => {
    const data = blobData();
    spoil(data);
    expect(() => new Trainer(tinyRecipe(), data)).toThrow(message);
  });

  it("refuses a net that gives another number of classes, and one with nothing to train", () => {
    expect(() => new Trainer(tinyRecipe({ net: () => dense(4) }), blobData())).toThrow(/gives \[16,4\].*3 classes/);
    expect(() => new Trainer(tinyRecipe({ freeze: () => true }), blobData())).toThrow(/every parameter is frozen/);
  });

  it("refuses a checkpoint of another run, and a damaged or cut one", () => {
    const trainer = new Trainer(tinyRecipe(), blobData(), 1);
    trainer.step();
    const path = join(folder, "other.bin");
    writeCheckpoint(path, trainer.save());
    expect(() => new Trainer(tinyRecipe(), blobData(), 2).resume(readCheckpoint(path))).toThrow(
      /another recipe, seed or data/,
    );
    const whole = readFileSync(path);
    for (const at of [3, 20, 50, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      writeFileSync(path, damaged);
      expect(() => readCheckpoint(path)).toThrow(/is damaged|is no checkpoint/);
    }
    for (const length of [0, 7, 43, 60, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => readCheckpoint(path)).toThrow(/is damaged|is no checkpoint/);
    }
  });

  it("leaves the last checkpoint as it was when a new one cannot be written", () => {
    const path = join(folder, "kept");
    mkdirSync(path);
    const trainer = new Trainer(tinyRecipe(), blobData());
    // a folder cannot be replaced by a file: as a full disk, an error after the temporary file was written
    expect(() => writeCheckpoint(path, trainer.save())).toThrow(/could not be written.*unharmed/);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
