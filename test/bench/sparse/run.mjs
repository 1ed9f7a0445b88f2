// `npm run bench:sparse`: sparse weights against Mote's own dense ones, layer by layer and at each density, in Node 20's simd
// build and a newer Node's relaxed one; beside them LiteRT.js where it is at hand, file sizes, memory, and the fit of the
// cost model (tools/pack/sparseCost.ts). Writes docs/sparse.md, sparse.svg and sparse.json with --write.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeMachine, programVersion } from "../machine.mjs";
import { OWN, pathOf, ROOT } from "../places.mjs";
import { install } from "../setup.mjs";
import { renderChart } from "./chart.mjs";
import { benchLitert } from "./litert.mjs";
import { renderReport } from "./report.mjs";

const GUEST = fileURLToPath(new URL("guest.mjs", import.meta.url));
const WRITE = process.argv.includes("--write");

/** A newer Node than this one: that of the tests, or the bench's own. */
function newerNode() {
  const tests = `${ROOT}.engines/node_modules/node-${process.platform}-${process.arch}/bin/node`;
  if (existsSync(tests)) return tests;
  install(["node24"]);
  const own = pathOf("/packages/node/bin/node");
  return existsSync(own) ? own : undefined;
}

const engines = [{ build: "simd", program: process.execPath }];
const newer = newerNode();
if (newer) engines.push({ build: "relaxed", program: newer });
else console.log("note: no newer Node could be installed, so the relaxed build is skipped");

const results = { date: new Date().toISOString(), machine: describeMachine(), engines: [] };
for (const { build, program } of engines) {
  const version = programVersion(program, "--version");
  console.log(`Node ${version}, ${build}`);
  const out = execFileSync(program, [GUEST, build], { encoding: "utf8", maxBuffer: 2 ** 26 });
  results.engines.push({ build, version, layers: JSON.parse(out) });
}
results.litert = await benchLitert((text) => console.log(`note: ${text}`));
mkdirSync(OWN, { recursive: true });
const json = `${JSON.stringify(results)}\n`;
writeFileSync(`${OWN}sparse.json`, json);
const report = renderReport(results);
console.log(`\n${report}\nAll of it: .bench/sparse.json`);
if (WRITE) {
  writeFileSync(`${ROOT}docs/sparse.json`, json);
  writeFileSync(`${ROOT}docs/sparse.svg`, renderChart(results));
  const opening = readFileSync(new URL("opening.md", import.meta.url), "utf8");
  writeFileSync(`${ROOT}docs/sparse.md`, `${opening}\n${report}`);
  console.log("Written: docs/sparse.md, docs/sparse.svg, docs/sparse.json");
}
