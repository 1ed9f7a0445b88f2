// `npm run bench`: Mote against its peers in one run. Rounds go A B C A B C …, each entry in a fresh process or
// page, each answer checked before it is timed. Writes .bench/results.json and prints tables.
import { mkdirSync, writeFileSync } from "node:fs";
import { renderChart } from "./chart.mjs";
import { closeEngines, openEngines } from "./engines/index.mjs";
import { benchWorkerd } from "./engines/workerd.mjs";
import { describeMachine, neighbours } from "./machine.mjs";
import { findModels, makeFloatOnnx, packModels } from "./models.mjs";
import { HELP, readOptions } from "./options.mjs";
import { OWN, ROOT } from "./places.mjs";
import { labelOf, plan } from "./plan.mjs";
import { enginesOf, renderReport } from "./report.mjs";
import { bundle, install, installedVersion } from "./setup.mjs";
import { measureSizes, moteBuilds } from "./sizes.mjs";
import { benchSteps } from "./steps.mjs";
import { summarize } from "./summary.mjs";

let options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`);
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const notes = [];
const note = (text) => {
  notes.push(text);
  console.log(`note: ${text}`);
};

const { models, absent, sharedIsHere } = findModels(options.models);
if (absent.length > 0) note(`not here, so skipped: ${absent.join(", ")}`);
if (!sharedIsHere) note("../shared/peers is absent: only our own models and single layers, without peers");
const wanted = sharedIsHere ? options.peers : [];
const failed = install([...wanted, ...options.engines]);
if (failed.length > 0) note(`could not be installed, so skipped: ${failed.join(", ")}`);
const peers = wanted.filter((peer) => !failed.includes(peer));
options.engines = options.engines.filter((engine) => !failed.includes(engine));
options.layers ||= !sharedIsHere;
mkdirSync(`${OWN}made`, { recursive: true });
await bundle(peers);
console.log(`Packing ${models.map(({ name }) => name).join(", ")}`);
await packModels(models);
if (peers.includes("ort")) makeFloatOnnx(models);
const withoutFloat = models.filter(({ file, hasLayers }) => file && !hasLayers).map(({ name }) => name);
if (peers.length > 0 && withoutFloat.length > 0) note(`no float twin here of ${withoutFloat.join(", ")}: no fp32 rows`);

const engines = await openEngines(options, peers, note);
const results = {
  date: new Date().toISOString(),
  machine: describeMachine(),
  versions: {
    ...Object.fromEntries(engines.map(({ name, version }) => [name, version])),
    ...Object.fromEntries(peers.flatMap(packagesOf).map((name) => [name, installedVersion(name)])),
  },
  options,
  models: models.map(({ name, macs, moteBytes, memoryBytes }) => ({ name, macs, moteBytes, memoryBytes })),
  neighbours: [],
  peaks: [],
  entries: [],
  notes,
};
try {
  await measureAll();
} finally {
  await closeEngines(engines);
}
results.summary = summarize(results);
console.log("\nWeighing what is shipped");
results.sizes = measureSizes(peers);
if (options.engines.includes("workerd") && sharedIsHere) {
  console.log("Cold starts in workerd");
  results.workerd = await benchWorkerd(models, options);
}
if (options.layers) await measureLayers();
writeFileSync(`${OWN}results.json`, `${JSON.stringify(results, null, 1)}\n`);
const report = renderReport(results);
console.log(`\n${report}\nAll of it: .bench/results.json`);
if (options.write) writeDocs();

async function measureAll() {
  const builds = options.builds ?? ["auto", ...moteBuilds()];
  const chosen = new Map();
  for (let round = 1; round <= options.rounds; round++) {
    for (const engine of engines) await measurePeak(engine, round);
    for (const model of models) {
      await lookAround(`round ${round} of ${options.rounds}, ${model.name}`);
      for (const engine of engines)
        for (const task of plan(engine, model, { ...options, peers, builds })) {
          // the build that the host chose was measured as "auto"
          if (task.peer === "mote" && task.variant === chosen.get(engine.name)) continue;
          const result = await engine.run(task);
          if (task.variant === "auto" && result.build) chosen.set(engine.name, result.build);
          record(task, result);
        }
    }
  }
}

async function measureLayers() {
  const { benchLayers } = await import("./layers.mjs");
  results.layers = [];
  for (const build of moteBuilds()) {
    console.log(`Single operators, ${build}`);
    try {
      benchLayers(build, "", (row) => results.layers.push({ build, ...row }));
    } catch (error) {
      note(`single operators on ${build}: ${error.message}`);
    }
  }
  console.log("Steps of the models");
  results.steps = await benchSteps(models);
}

function writeDocs() {
  const engine = ["chromium", "node24", "node20"].find((name) => enginesOf(results).includes(name));
  const chart = engine && renderChart(results, engine);
  const picture = chart ? "![Time of one inference, Mote as 1](bench.svg)\n\n" : "";
  mkdirSync(`${ROOT}docs`, { recursive: true });
  if (chart) writeFileSync(`${ROOT}docs/bench.svg`, chart);
  const head = "# Mote and its peers\n\nMade by `npm run bench -- --layers --write`; do not edit.\n\n";
  writeFileSync(`${ROOT}docs/bench.md`, head + picture + report);
  console.log("Written: docs/bench.md");
}

async function measurePeak(engine, round) {
  if (engine.name === "native") return;
  const peak = await engine.run({ peer: "peak", seconds: 1 });
  if (peak.error) throw new Error(`${engine.name}: ${peak.error}`);
  engine.hasRelaxed = peak.relaxed !== null;
  results.peaks.push({ engine: engine.name, round, ...peak });
  const relaxed = engine.hasRelaxed ? `, relaxed dot ${peak.relaxed.toFixed(1)}` : "";
  console.log(`${engine.name.padEnd(9)} peak of dot_i16x8 ${peak.dot.toFixed(1)} MACs/ns${relaxed}`);
}

async function lookAround(where) {
  const around = await neighbours();
  results.neighbours.push({ where, ...around });
  if (!around) return console.log(`\n${where}`);
  const { load, cores, names } = around;
  console.log(`\n${where}: load ${load.toFixed(2)}, others use ${cores.toFixed(2)} cores`);
  if (cores > 0.1) console.log(`  WARNING: not a quiet machine: ${names.slice(0, 4).join(", ")}`);
}

function record(task, result) {
  const { key, engine, model, peer, variant, build } = task;
  let entry = results.entries.find((each) => each.key === key);
  if (!entry) {
    entry = { key, engine, model, peer, variant, build: build ?? result.build, rounds: [] };
    entry.label = labelOf(entry);
    results.entries.push(entry);
  }
  entry.rounds.push(result);
  const what = `  ${engine.padEnd(9)} ${entry.label.padEnd(24)}`;
  const { minMs, medianMs, coldMs, answer } = result;
  if (result.error) console.log(`${what} ${result.error.slice(0, 200)}`);
  else
    console.log(
      `${what} ${minMs.toFixed(4).padStart(9)} ms, median ${medianMs.toFixed(4)}, first ${coldMs.toFixed(0)} ms, off by ${answer.maxDiff?.toFixed(1) ?? 0}`,
    );
}

function packagesOf(peer) {
  return { litert: ["@litertjs/core"], ort: ["onnxruntime-web"], tfjs: ["@tensorflow/tfjs-backend-wasm"] }[peer] ?? [];
}
