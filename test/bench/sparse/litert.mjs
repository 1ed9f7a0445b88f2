// Layers in LiteRT.js, for the sparse bench: 24 and 8 of a layer in a row, whose difference is the time of 16 without
// what a call costs. Only layers that fit behind themselves. int8 behind QUANTIZE at both ends, and float32, whole and
// with three quarters of its groups zero.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { pathOf, ROOT } from "../places.mjs";
import { bundle, install, installedVersion } from "../setup.mjs";
import { LAYERS, layerWith } from "./layers.mjs";

const GUEST = fileURLToPath(new URL("litertGuest.mjs", import.meta.url));
const DEPTHS = [8, 24];

/** @returns { version, rows } with milliseconds of one layer each; undefined where LiteRT.js is not at hand */
export async function benchLitert(note) {
  if (install(["litert"]).length > 0) {
    note("LiteRT.js could not be installed, so it is skipped");
    return undefined;
  }
  mkdirSync(pathOf("/made/sparse/"), { recursive: true });
  await bundle(["litert"]);
  const writer = pathOf("/made/tfliteChain.mjs");
  await build({
    entryPoints: [`${ROOT}test/bench/sparse/tfliteChain.ts`],
    outfile: writer,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const { chain } = await import(writer);
  const rows = [];
  for (const layer of LAYERS.filter(([, , , , c, n, , , stride = 1]) => c === n && stride === 1)) {
    const row = { name: layer[0] };
    for (const [kind, zeros] of [
      ["int8", 0],
      ["float", 0],
      ["floatPruned", 0.75],
    ]) {
      const graph = layerWith(layer, zeros, 8);
      const files = DEPTHS.map((depth) => {
        const file = pathOf(`/made/sparse/${kind}${depth}.tflite`);
        writeFileSync(file, chain(graph, depth, kind !== "int8"));
        return file;
      });
      const shape = JSON.stringify(graph.tensors[0].shape);
      const out = execFileSync(process.execPath, [GUEST, shape, ...files], { encoding: "utf8" });
      const [few, many] = JSON.parse(out.trim().split("\n").at(-1));
      row[kind] = (many - few) / (DEPTHS[1] - DEPTHS[0]);
    }
    rows.push(row);
  }
  return { version: installedVersion("@litertjs/core"), rows };
}
