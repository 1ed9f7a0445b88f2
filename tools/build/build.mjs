// `npm run build`: TFLite reader from its schema, then the core in every target, the training core and the WASI modules, then host
// and tools, then the host's entries each as one file, which an engine opens in a third of the time it takes for two dozen.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { kept } from "./kept.mjs";
import { buildWasi, WASI_FILES } from "./wasi.mjs";

const require = createRequire(import.meta.url);
process.chdir(fileURLToPath(new URL("../../", import.meta.url)));

function run(label, script, args) {
  const started = performance.now();
  execFileSync(process.execPath, [script, ...args], { stdio: "inherit" });
  console.log(`${label.padEnd(22)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/core", { recursive: true });
if (existsSync("tools/build/schema.mjs")) run("schema", "tools/build/schema.mjs", []);
const asc = require.resolve("assemblyscript/bin/asc.js");
const compile = (config, target) => () =>
  execFileSync(process.execPath, [asc, "--config", config, "--target", target], { stdio: "inherit" });
for (const target of ["scalar", "simd", "relaxed"])
  await kept(
    `core ${target}`,
    ["assembly", "asconfig.json"],
    [`dist/core/${target}.wasm`],
    compile("asconfig.json", target),
  );
await kept(
  "training core",
  ["assembly/float"],
  ["dist/core/train.wasm"],
  compile("assembly/float/asconfig.json", "train"),
);
await kept("wasi", ["assembly"], WASI_FILES, buildWasi);
run("host and tools", "node_modules/typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
for (const entry of [
  ...["host/index", "host/targets/node", "host/targets/worker", "host/targets/workerOwnCore"],
  ...["host/targets/webview", "host/webview/worker"],
]) {
  // beside the file it is made of, so that what it finds by import.meta.url stays where it is
  await build({
    entryPoints: [`dist/${entry}.js`],
    outfile: `dist/${entry}.bundle.js`,
    bundle: true,
    format: "esm",
    platform: entry === "host/targets/node" ? "node" : "neutral",
    // the bundler of a Worker makes modules of these
    external: ["*.wasm"],
    // says that it is a module, though it exports nothing
    ...(entry === "host/webview/worker" && { footer: { js: "export {};" } }),
  });
}

// CommonJS for programs on Node that are not modules: one file, and the types once more as that kind of file
await build({
  entryPoints: ["dist/host/targets/node.js"],
  outfile: "dist/cjs/host/targets/node.js",
  bundle: true,
  format: "cjs",
  platform: "node",
  define: { "import.meta.url": "moteUrl" },
  // the cores are where those of the module are
  banner: {
    js: 'const moteUrl = require("node:url").pathToFileURL(require("node:path").join(__dirname, "../../../host/targets/node.js")).href;',
  },
});
for (const folder of ["host", "assembly"])
  cpSync(`dist/${folder}`, `dist/cjs/${folder}`, {
    recursive: true,
    filter: (path) => !/\.[jt]s$/.test(path) || path.endsWith(".d.ts"),
  });
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
