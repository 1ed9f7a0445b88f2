// `npm run bench:sequences`: recurrent layers, attention and the front end beside ONNX Runtime Web and TensorFlow.js in
// Node 20's simd build and a newer Node's relaxed one. Writes docs/sequences.md with --write.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeMachine, programVersion } from "../machine.mjs";
import { table } from "../markdown.mjs";
import { pathOf, ROOT } from "../places.mjs";
import { install } from "../setup.mjs";

const GUEST = fileURLToPath(new URL("guest.mjs", import.meta.url));
const newer = `${ROOT}.engines/node_modules/node-${process.platform}-${process.arch}/bin/node`;

function newerNode() {
  if (existsSync(newer)) return newer;
  install(["node24"]);
  const own = pathOf("/packages/node/bin/node");
  return existsSync(own) ? own : undefined;
}

const engines = [
  { build: "simd", program: process.execPath },
  { build: "relaxed", program: newerNode() },
].filter(({ program }) => program);
if (engines.length === 1) console.log("note: no newer Node could be installed, so the relaxed build is skipped");

const micro = (ms) => (ms === undefined ? "" : ms < 1 ? (ms * 1000).toFixed(1) : Math.round(ms * 1000));
const { cpu, features, cores, system } = describeMachine();
const parts = [
  "# Sequences, measured",
  "Made by `npm run bench:sequences -- --write`; do not edit.",
  [
    `- ${new Date().toISOString().slice(0, 10)}, ${cpu} (${features.join(", ")}; ${cores} cores, ${system}), one thread, all of an engine in one process, in turn, the fastest of 40 rounds.`,
    "- Batch 1. Mote in int8, its answers checked byte for byte; ONNX Runtime Web in float32 with the same weights and inputs, its answers within 0.03 of Mote's; TensorFlow.js in float32 with weights of its own, in WebAssembly. Both have one layer for either kind of Mote's state.",
    "- Recurrent layers have as many features as units. ONNX Runtime Web's best of two forms for attention: its fused operator, and MatMul and Softmax.",
  ].join("\n"),
];
for (const { build, program } of engines) {
  const out = execFileSync(program, [GUEST, build], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const results = JSON.parse(out.trim().split("\n").at(-1));
  const rows = results.map(({ name, macs, runs: [own] }) => {
    // a peer in float has one layer for both kinds of state, and is timed beside each
    const net = name.split(", state")[0];
    const same = results.filter((other) => other.name.split(", state")[0] === net).flatMap(({ runs }) => runs.slice(1));
    const best = (prefix) => same.filter((peer) => peer.name.startsWith(prefix)).sort((a, b) => a.ms - b.ms)[0]?.ms;
    const times = (ms) => (ms === undefined ? "" : (ms / own.ms).toFixed(ms / own.ms < 10 ? 2 : 0));
    const [ort, tfjs] = [best("ORT-web"), best("tfjs")];
    const rate = macs > 0 ? (macs / own.ms / 1e6).toFixed(1) : "";
    return [name, micro(own.ms), rate, micro(ort), times(ort), micro(tfjs), times(tfjs)];
  });
  const head = ["µs", `Mote ${build}`, "GMAC/s", "ORT-web", "× ORT-web", "TF.js", "× TF.js"];
  parts.push(`## Node ${programVersion(program, "--version")}, ${build} build`, table(head, rows));
}
const report = `${parts.join("\n\n")}\n`;
console.log(report);
if (process.argv.includes("--write")) {
  writeFileSync(`${ROOT}docs/sequences.md`, report);
  console.log("Written: docs/sequences.md");
}
