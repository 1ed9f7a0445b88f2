// `npm run zoo`: trains the zoo over its seeds, packs each model, judges the packed file on held-out data in the core, and
// writes docs/zoo.md. Invariant: what is done is kept in .zoo and not done again; a figure of the table is the mean and
// deviation over the seeds that are done, and comes from the packed model (float: from the training engine).
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel, type Model } from "../../host/targets/node.ts";
import { judgeGraph, outputsOf, setsOf } from "../../tools/cli/outcome.ts";
import { elementCount, type Graph } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { searchPrecision } from "../../tools/quantize/search.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { readWeights, writeWeights } from "../../tools/train/checkpoint.ts";
import { exportInt8 } from "../../tools/train/export/exportInt8.ts";
import { integerRecipe, metrics, type Recipe, Trainer } from "../../tools/train/index.ts";
import { floatGraph } from "../../tools/train/integer/integerTraining.ts";
import type { Dataset } from "../../tools/train/samples.ts";
import cnn from "../mnist/cnn.ts";
import student from "../mnist/student.ts";
import { zooTable } from "./table.ts";
import { VARIANTS } from "./variants.ts";

export interface Result {
  readonly accuracy: number;
  readonly bytes?: number;
}

const FOLDER = ".zoo";
const seeds = process.argv
  .slice(2)
  .filter((word) => /^\d+$/.test(word))
  .map(Number);
const data = (await cnn.data()) as Dataset;

function save(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

function trained(recipe: Recipe, seed: number): Trainer {
  const trainer = new Trainer(recipe, data, seed);
  while (!trainer.isDone) trainer.step();
  trainer.finish();
  return trainer;
}

async function judged(model: Model): Promise<number> {
  const session = await model.createSession();
  const { x, y, count, shape } = data.test;
  const size = elementCount(shape);
  const classes = data.classes!.length;
  const scores = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    const [out] = Object.values(session.run(x.slice(i * size, (i + 1) * size)));
    scores.set(out as Int8Array, i * classes);
  }
  session.dispose();
  return metrics.accuracy(scores, y, classes);
}

/** `make` is asked only for what is not in the folder yet. */
async function once(folder: string, name: string, make: () => Graph | Result): Promise<Result> {
  const path = join(folder, `${name}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Result;
  const started = performance.now();
  const made = make();
  let result: Result;
  if ("nodes" in made) {
    const { bytes } = packGraph({ ...made, name }, { source: name, sourceBytes: new Uint8Array() });
    save(join(folder, `${name}.mote`), bytes);
    result = { accuracy: await judged(await loadModel(bytes)), bytes: bytes.length };
  } else result = made;
  save(path, JSON.stringify(result));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${folder}/${name}: ${(result.accuracy * 100).toFixed(2)} %, ${result.bytes ?? "–"} bytes, ${seconds} s`);
  return result;
}

async function runSeed(seed: number): Promise<void> {
  const folder = join(FOLDER, `seed${seed}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "float.bin");
  if (!existsSync(file)) {
    writeWeights(`${file}.tmp`, trained(cnn, seed).parameters);
    renameSync(`${file}.tmp`, file);
  }
  const weights = readWeights(file);
  await once(folder, "float", () => ({
    accuracy: new Trainer({ ...cnn, initial: () => weights }, data, seed).evaluate(data.test).accuracy!,
  }));
  const graph = floatGraph(cnn, data, weights, seed);
  const int8 = await once(folder, "int8", () => graph);
  for (const { name, round, train } of VARIANTS) {
    await once(folder, name, () => {
      if (round)
        return round === "int8" ? graph : recodeWeights(graph, { default: parseWeights(round, name), layers: [] });
      const recipe = integerRecipe(cnn, graph, weights, train!);
      const trainer = trained(recipe, seed);
      return recipe.integer!.toGraph(trainer.machine, trainer.inference.trace);
    });
  }
  await once(folder, "mixed", () => {
    const deciding = data.validation!;
    return searchPrecision({
      graph,
      choices: ["int8", "codebook", "int4"],
      budget: { maxBytes: Math.floor(int8.bytes! * 0.6) },
      outputs: (each) => outputsOf(each, setsOf(deciding, 64)),
      judge: (each) => judgeGraph(each, deciding),
    }).graph;
  });
  const packed = (recipe: Recipe): Graph => {
    const { machine, inference } = trained(recipe, seed);
    return exportInt8(machine, inference, { name: recipe.name, samples: data.train, head: "softmax" });
  };
  await once(folder, "student-alone", () => packed(student));
  const distil = { teacher: cnn.net, weights: () => weights };
  await once(folder, "student-distilled", () => packed({ ...student, distil }));
}

for (const seed of seeds.length > 0 ? seeds : [0, 1, 2]) await runSeed(seed);
save(join("docs", "zoo.md"), zooTable(FOLDER));
