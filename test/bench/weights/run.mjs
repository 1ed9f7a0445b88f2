// `npm run bench:weights`: weights of few bits and sparse ones against int8, layers and whole models, in this Node's simd build
// and a newer Node's relaxed one, with bytes and memory, and LiteRT.js int8 beside the models. Every answer is checked against
// the integer reference before it is timed. Results are kept part by part in .bench/weights.json; --part NAME measures
// one (`--list` names them), no part all that are missing, --again all. --write makes docs/weights.md and its picture.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describeMachine, programVersion } from "../machine.mjs";
import { OWN, pathOf, ROOT } from "../places.mjs";
import { install } from "../setup.mjs";
import { renderChart } from "./chart.mjs";
import { parts } from "./parts.mjs";
import { renderReport } from "./report.mjs";

const FILE = `${OWN}weights.json`;
const has = (flag) => process.argv.includes(flag);

/** A newer Node than this one: that of the tests, or the bench's own. */
function newerNode() {
  const tests = `${ROOT}.engines/node_modules/node-${process.platform}-${process.arch}/bin/node`;
  if (existsSync(tests)) return tests;
  install(["node24"]);
  const own = pathOf("/packages/node/bin/node");
  return existsSync(own) ? own : undefined;
}

const newer = newerNode();
const engines = [
  { build: "simd", program: process.execPath },
  ...(newer ? [{ build: "relaxed", program: newer }] : []),
];
const all = parts(engines);
if (has("--list")) {
  console.log([...all.keys()].join("\n"));
  process.exit(0);
}
const only = has("--part") ? process.argv[process.argv.indexOf("--part") + 1] : undefined;
if (only !== undefined && !all.has(only)) {
  console.error(`There is no part "${only}", expected one that --list names.`);
  process.exit(1);
}
mkdirSync(OWN, { recursive: true });
const kept = existsSync(FILE) && (only !== undefined || !has("--again")) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
const results = {
  machine: describeMachine(),
  parts: {},
  ...kept,
  engines: engines.map(({ build, program }) => ({ build, version: programVersion(program, "--version") })),
  date: new Date().toISOString(),
};
for (const [name, measure] of all) {
  if (only === undefined ? results.parts[name] : name !== only) continue;
  console.log(name);
  results.parts[name] = await measure();
  writeFileSync(FILE, JSON.stringify(results));
}
const report = renderReport(results);
if (only === undefined) console.log(report);
if (has("--write")) {
  const opening = readFileSync(new URL("opening.md", import.meta.url), "utf8");
  writeFileSync(`${ROOT}docs/weights.md`, `${opening}\n${report}`);
  writeFileSync(`${ROOT}docs/weights.svg`, renderChart(results));
  console.log("Written: docs/weights.md, docs/weights.svg");
}
