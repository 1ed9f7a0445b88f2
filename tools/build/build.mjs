// `npm run build`: TFLite reader from its schema, then the core in every target, then host and tools.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const root = new URL("../../", import.meta.url).pathname;
process.chdir(root);

function run(label, script, args) {
  const started = performance.now();
  execFileSync(process.execPath, [script, ...args], { stdio: "inherit" });
  console.log(`${label.padEnd(22)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/core", { recursive: true });
if (existsSync("tools/build/schema.mjs")) run("schema", "tools/build/schema.mjs", []);
const asc = require.resolve("assemblyscript/bin/asc.js");
for (const target of ["scalar", "simd", "relaxed"])
  run(`core ${target}`, asc, ["--config", "asconfig.json", "--target", target]);
run("host and tools", "node_modules/typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
