// Installs the peers and engines into .bench/ (once; never part of anybody's install), and makes what runs from
// files that a page can load: one bundle of Mote's host with its cores beside it, and one of LiteRT.js.
import { execFileSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build } from "esbuild";
import { OWN, pathOf, ROOT } from "./places.mjs";

const PACKAGES = {
  litert: { "@litertjs/core": "2.5.3" },
  ort: { "onnxruntime-web": "1.30.0" },
  tfjs: {
    "@tensorflow/tfjs-backend-wasm": "4.22.0",
    "@tensorflow/tfjs-converter": "4.22.0",
    "@tensorflow/tfjs-core": "4.22.0",
  },
  tfjsTrain: { "@tensorflow/tfjs": "4.22.0" },
  jaxTrain: { "@jax-js/jax": "0.1.25" },
  node24: { node: "24" },
  chromium: { "playwright-core": "1.65.1" },
  // the last whose tools run on Node 20
  workerd: { miniflare: "4.20260426.0" },
};

const TFJS_APP = `
export { loadGraphModel } from "@tensorflow/tfjs-converter";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
export { tensor, setBackend, ready } from "@tensorflow/tfjs-core";
`;

/**
 * Installs what `needs` (peers and engines) name and is not there yet.
 * @returns those of `needs` that could not be installed
 */
export function install(needs) {
  const file = `${OWN}package.json`;
  const have = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).dependencies : {};
  const want = { ...have, ...Object.assign({}, ...needs.map((need) => PACKAGES[need])) };
  const missing = Object.keys(want).filter((name) => have[name] !== want[name] || !installedVersion(name));
  if (missing.length === 0) return [];
  console.log(`Installing into .bench/: ${missing.join(", ")}`);
  mkdirSync(OWN, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ private: true, type: "module", dependencies: want }, null, 2)}\n`);
  const args = ["install", "--no-audit", "--no-fund", "--loglevel", "error"];
  try {
    execFileSync("npm", args, { cwd: OWN, stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    // npm said why; what is there runs without the rest
  }
  return needs.filter((need) => Object.keys(PACKAGES[need] ?? {}).some((name) => !installedVersion(name)));
}

export function installedVersion(name) {
  const file = `${OWN}node_modules/${name}/package.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

export async function bundle(peers) {
  const options = { bundle: true, format: "esm", minify: true, platform: "browser", logLevel: "error" };
  const made = (name) => pathOf(`/made/${name}`);
  await build({
    ...options,
    entryPoints: [`${ROOT}dist/host/index.js`],
    outfile: made("mote/host/index.js"),
  });
  cpSync(`${ROOT}dist/core`, made("mote/core"), { recursive: true });
  if (peers.includes("litert"))
    await build({
      ...options,
      entryPoints: [pathOf("/packages/@litertjs/core/dist/index.js")],
      outfile: made("litert.mjs"),
    });
  // only to be weighed: what a user of tfjs ships to run a converted model on its wasm backend
  if (peers.includes("tfjs"))
    await build({
      ...options,
      stdin: { contents: TFJS_APP, resolveDir: OWN },
      outfile: made("tfjs.mjs"),
    });
}

/** A program's path, by its first name that is in PATH. */
export function findProgram(...names) {
  for (const name of names)
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  return undefined;
}
