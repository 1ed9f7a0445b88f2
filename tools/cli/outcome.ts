// What a compressing command leaves: model.mote, card.json, card.md and report.html. Invariant: every figure of the model is of the
// packed file run by the core on held-out data; the files appear only after the self-test passed on every build.

import { join } from "node:path";
import { loadModel, type Model } from "../../host/targets/node.ts";
import { CoreRun } from "../evaluate/coreRun.ts";
import { compareGraphs, dataOf, realsOf } from "../evaluate/layerErrors.ts";
import { elementCount, type Graph } from "../graph/graph.ts";
import { packGraph } from "../pack/pack.ts";
import type { Judgement, SearchBudget } from "../quantize/search.ts";
import { predictions } from "../train/metrics.ts";
import type { VariantPoint } from "../train/report/compressionReport.ts";
import type { Dataset, Samples } from "../train/samples.ts";
import { BUILDS } from "./builds.ts";
import { selfTest } from "./commands/verify.ts";
import { makeFolder, writeWhole } from "./files.ts";
import { naming } from "./model.ts";
import { type OutputOptions, print } from "./output.ts";
import type { Progress } from "./progress.ts";
import type { Source } from "./sourceGraph.ts";
import { count, fields } from "./table.ts";

/** Inputs that layers are compared over. */
const COMPARED = 24;
/** Runs of which the fastest counts. */
const RUNS = 15;

export interface Outcome {
  readonly name: string;
  /** one sentence of what was done */
  readonly what: string;
  readonly source: Source;
  /** the model before, of the same tensors */
  readonly before: Graph;
  readonly graph: Graph;
  readonly data: Dataset;
  /** besides before and after, which are added; judged on validation data */
  readonly tried?: readonly VariantPoint[];
  readonly budget?: SearchBudget;
  readonly extra?: readonly (readonly [name: string, value: string])[];
}

export function setsOf({ x, shape, count: samples }: Samples, wanted: number): Float32Array[][] {
  const size = elementCount(shape);
  const taken = Math.min(wanted, samples);
  return Array.from({ length: taken }, (_, i) => {
    const at = Math.floor((i * samples) / taken) * size;
    return [x.slice(at, at + size)];
  });
}

/** A graph's first output for each input, as real values. */
export function outputsOf(graph: Graph, sets: readonly (readonly Float32Array[])[]): Float32Array[] {
  const run = new CoreRun(graph);
  return sets.map((set) => {
    const given = graph.inputs.map((id, i) => dataOf(graph.tensors[id]!, set[i]!));
    return realsOf(graph.tensors[graph.outputs[0]!]!, run.run(given)[0]!);
  });
}

/** Bytes of the packed file, the fastest run, and accuracy over `samples`, all of the graph in the core. */
export function judgeGraph(graph: Graph, samples: Samples): Judgement {
  const { bytes } = packGraph(graph, { source: graph.name, sourceBytes: new Uint8Array() });
  const run = new CoreRun(graph);
  const [input, output] = [graph.tensors[graph.inputs[0]!]!, graph.tensors[graph.outputs[0]!]!];
  let [right, ms] = [0, Infinity];
  for (const [i, [x]] of setsOf(samples, samples.count).entries()) {
    const given = dataOf(input, x!);
    const started = performance.now();
    const [scores] = run.run([given]);
    ms = Math.min(ms, performance.now() - started);
    if (predictions(realsOf(output, scores!), scores!.length)[0] === samples.y[i]) right++;
  }
  return { bytes: bytes.length, ms, accuracy: right / samples.count };
}

async function measure(model: Model, samples: Samples, isClassifier: boolean) {
  const session = await model.createSession();
  let right = 0;
  for (const [i, [x]] of setsOf(samples, samples.count).entries()) {
    const [scores] = Object.values(session.run(x!));
    if (predictions(scores as ArrayLike<number> as Float32Array, scores!.length)[0] === samples.y[i]) right++;
  }
  const rows = session.profile(undefined, { runs: RUNS });
  session.dispose();
  const steps = rows.map(({ name, ms }, i) => ({ name, ms, bytes: model.header.steps[i]!.paramBytes }));
  const ms = steps.reduce((sum, step) => sum + step.ms, 0);
  return { steps, ms, accuracy: isClassifier ? right / samples.count : undefined };
}

export async function writeOutcome(
  folder: string,
  outcome: Outcome,
  options: OutputOptions,
  progress: Progress,
): Promise<void> {
  const { name, what, source, before, graph, data, tried = [], budget = {} } = outcome;
  const { test, classes } = data;
  const labels = classes && { labels: classes };
  const meaning = source.trained?.recipe.meaning;
  const pack = (each: Graph): Uint8Array =>
    packGraph(
      { ...each, name },
      { source: source.name, sourceBytes: source.bytes, ...labels, ...(meaning && { meanings: { input: meaning } }) },
    ).bytes;
  const bytes = await progress.stage("packing", () => pack(graph));
  const file = join(folder, "model.mote");
  const model = await naming(file, () => loadModel(bytes));
  for (const build of BUILDS) await progress.stage(`self-test on ${build}`, () => selfTest(file, model, build));
  const isFloat =
    before.tensors[before.inputs[0]!]!.dtype === "float32" && before.nodes.some(({ op }) => /^float/.test(op));
  const first = pack(before);
  const isClassifier = classes !== undefined;
  const [old, now] = await progress.stage("judging on held-out data", async () => [
    await measure(await loadModel(first), test, isClassifier),
    await measure(model, test, isClassifier),
  ]);
  const sets = setsOf(test, COMPARED);
  const comparison = await progress.stage("comparing layers", () => compareGraphs(before, graph, sets));
  const percent = (share: number | undefined): string => (share === undefined ? "–" : `${(share * 100).toFixed(2)} %`);
  const [output] = comparison.outputs;
  const facts: [string, string][] = [
    ["what", what],
    ["source", source.name],
    ["data", `${data.source}; judged on ${test.count} samples that nothing was chosen by`],
    ["accuracy", `${percent(now.accuracy)}, before ${percent(old.accuracy)}${isFloat ? " (float)" : ""}`],
    ["size", `${count(bytes.length)} bytes, before ${count(first.length)}`],
    ["time", `${now.ms.toPrecision(3)} ms a run here, before ${old.ms.toPrecision(3)}`],
    [
      "outputs",
      `${Number.isFinite(output!.sqnr) ? `${output!.sqnr.toFixed(1)} dB` : "no"} error, same greatest for ${percent(comparison.agreement)}`,
    ],
    ...(outcome.extra ?? []).map(([key, value]): [string, string] => [key, value]),
  ];
  const variants: VariantPoint[] = [
    { name: "before", bytes: first.length, ms: old.ms, accuracy: old.accuracy },
    ...tried,
    { name: "this model", bytes: bytes.length, ms: now.ms, accuracy: now.accuracy, isChosen: true },
  ];
  const { compressionReport } = await import("../train/report/compressionReport.ts");
  const html = compressionReport({
    name,
    lead: what,
    facts,
    variants,
    maxBytes: budget.maxBytes,
    maxMs: budget.maxMs,
    comparison,
    graph,
    inputs: sets,
    steps: now.steps,
  });
  const card = {
    name,
    what,
    accuracy: now.accuracy,
    accuracyBefore: old.accuracy,
    bytes: bytes.length,
    bytesBefore: first.length,
    memoryBytes: model.memoryBytes,
    variants,
    facts,
  };
  const { cardText } = await import("../train/report/card.ts");
  await makeFolder(folder);
  await writeWhole(join(folder, "card.json"), Buffer.from(`${JSON.stringify(card, null, 2)}\n`));
  await writeWhole(join(folder, "card.md"), Buffer.from(cardText({ name, description: what, facts })));
  await writeWhole(join(folder, "report.html"), Buffer.from(html));
  await writeWhole(file, bytes);
  print(options, { ...card, folder }, () => fields([...facts, ["written", folder]]));
}
