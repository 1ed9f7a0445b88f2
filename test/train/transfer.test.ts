// Building on what was trained: an imported model learns further with frozen layers, trained nets are fused.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../tools/evaluate/reference.ts";
import { importModel } from "../../tools/import/index.ts";
import { exportInt8 } from "../../tools/train/export/exportInt8.ts";
import { fromGraph } from "../../tools/train/fromGraph.ts";
import { averageWeights, ensemble, ensembleWeights, type Weights } from "../../tools/train/fusion.ts";
import { dense, sequential } from "../../tools/train/layers.ts";
import { adam } from "../../tools/train/optimizers.ts";
import { Trainer } from "../../tools/train/trainer.ts";
import { blobData, tinyRecipe } from "./tiny.ts";

const root = new URL("../../models/digits/", import.meta.url);
const imported = importModel(readFileSync(new URL("digits.tflite", root)), "digits.tflite");
const inputs = new Int8Array(readFileSync(new URL("golden/inputs.bin", root)));
const labels = JSON.parse(readFileSync(new URL("golden/labels.json", root), "utf8")) as number[];

describe("an imported model", () => {
  const x = Float32Array.from(inputs, (q) => (q + 128) / 255);
  const samples = { x, shape: [28, 28, 1], y: Int32Array.from(labels), count: labels.length };
  const data = { train: samples, test: samples, classes: "0123456789".split(""), source: "golden digits" };
  const recipe = tinyRecipe({ net: () => fromGraph(imported), batch: "all", epochs: 20, optimizer: adam() });

  it("says in float what it says in integers", () => {
    const { outputs } = new Trainer(recipe, data).evaluate(samples);
    for (let i = 0; i < samples.count; i++) {
      const integer = evaluate(imported, [inputs.subarray(i * 784, (i + 1) * 784)])[0] as Int8Array;
      const row = outputs.subarray(i * 10, (i + 1) * 10);
      const sum = row.reduce((total, v) => total + Math.exp(v), 0);
      for (let c = 0; c < 10; c++)
        expect(Math.abs(Math.exp(row[c]!) / sum - (integer[c]! + 128) / 256)).toBeLessThan(0.12);
    }
  });

  it("learns further in its last layer while the others stay, and is exported again", () => {
    const start = new Trainer(recipe, data);
    const last = start.parameters.all.at(-2)!.name;
    const bias = start.parameters.all.at(-1)!.name;
    const before = start.evaluate(samples).loss;
    const tuned = new Trainer({ ...recipe, freeze: (name) => name !== last && name !== bias }, data);
    while (!tuned.isDone) tuned.step();
    tuned.finish();
    expect(tuned.evaluate(samples).loss).toBeLessThan(before);
    for (const parameter of tuned.parameters.all) {
      const same = parameter.data.every(
        (value, i) => value === start.machine.read(start.parameters.get(parameter.name)!)[i],
      );
      expect(same, parameter.name).toBe(parameter.name !== last && parameter.name !== bias);
    }
    const graph = exportInt8(tuned.machine, tuned.inference, { name: "tuned", samples, head: "softmax" });
    expect(graph.nodes.map(({ op }) => op)).toEqual(imported.nodes.map(({ op }) => op));
  });

  it("names the node that cannot be trained further", () => {
    const odd = { ...imported, nodes: [{ ...imported.nodes[0]!, op: "resizeNearest" }] } as unknown as typeof imported;
    expect(() => new Trainer({ ...recipe, net: () => fromGraph(odd) }, data)).toThrow(
      /resizeNearest cannot be trained further/,
    );
  });
});

describe("fusion", () => {
  const data = blobData();
  const net = () => sequential(dense(16, { activation: "relu" }), dense(3));
  const weightsOf = (trainer: Trainer): Weights =>
    new Map(trainer.parameters.all.map(({ name, data }) => [name, data]));
  const runs = [1, 2, 3].map((seed) => {
    const trainer = new Trainer(tinyRecipe({ net }), data, seed);
    while (!trainer.isDone) trainer.step();
    trainer.finish();
    return trainer;
  });

  it("of an ensemble averages the members' outputs", () => {
    const recipe = tinyRecipe({
      net: () => ensemble([net(), net(), net()]),
      epochs: 0,
      initial: () => ensembleWeights(runs.map(weightsOf)),
    });
    const fused = new Trainer(recipe, data).evaluate(data.test);
    const each = runs.map((run) => run.evaluate(data.test).outputs);
    fused.outputs.forEach((value, i) => {
      expect(value).toBeCloseTo((each[0]![i]! + each[1]![i]! + each[2]![i]!) / 3, 4);
    });
  });

  it("of weights averages them by name, and refuses another net's", () => {
    const mean = averageWeights(runs.slice(0, 2).map(weightsOf));
    const [a, b] = runs.map((run) => run.parameters.get("dense.weight")!.data);
    expect(mean.get("dense.weight")![5]).toBeCloseTo((a![5]! + b![5]!) / 2, 6);
    expect(() => averageWeights([weightsOf(runs[0]!), new Map()])).toThrow(
      /"dense\.weight" has 64 values in one run and none in another/,
    );
  });
});
