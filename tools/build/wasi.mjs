// Compiles assembly/wasi/: the command and the reactor in their scalar and simd builds, and the templates that
// `mote compile` prunes (tools/compile/). Texts are written `ascii("…")` there and become bytes in static data here,
// zero at the end: a string of AssemblyScript's own would take twice the bytes and a header of twenty.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import binaryen from "assemblyscript/binaryen";

const TEXT = /\bascii\(\s*("(?:[^"\\\n]|\\.)*"),?\s*\)/g;

function textBytes(_, literal) {
  const text = JSON.parse(literal);
  if (/[^\n -~]/.test(text)) throw new Error(`Not ASCII: ${literal}`);
  return `memory.data<u8>([${[...Buffer.from(`${text}\0`)].join(", ")}])`;
}

function readFile(name, folder) {
  try {
    const source = readFileSync(join(folder, name), "utf8");
    return /\bassembly\/wasi\//.test(join(folder, name)) ? source.replace(TEXT, textBytes) : source;
  } catch {
    // it asks for files where there are none
    return null;
  }
}

/** Compiles `entry` for a target of assembly/wasi/asconfig.json to `outFile`. */
export async function compileWasi(entry, target, outFile) {
  const { error } = await asc.main(
    [entry, "--config", "assembly/wasi/asconfig.json", "--target", target, "--outFile", outFile],
    { readFile, stdout: process.stdout, stderr: process.stderr },
  );
  if (error) throw error;
}

/** Writes `module` with only the exports that `keeps` says, and what they need. */
function writePart(module, keeps, outFile) {
  const part = binaryen.readBinary(module);
  for (let i = part.getNumExports() - 1; i >= 0; i--) {
    const { name } = binaryen.getExportInfo(part.getExportByIndex(i));
    if (name !== "memory" && !keeps(name)) part.removeExport(name);
  }
  part.setFeatures(binaryen.Features.All);
  part.runPasses(["remove-unused-module-elements"]);
  writeFileSync(outFile, part.emitBinary());
  part.dispose();
}

/** What `buildWasi` writes. */
export const WASI_FILES = ["mote", "mote-scalar", "reactor", "reactor-scalar"]
  .concat(["template-simd", "template-scalar", "core-simd", "core-scalar"])
  .map((name) => `dist/wasi/${name}.wasm`);

export async function buildWasi() {
  mkdirSync("dist/wasi", { recursive: true });
  for (const target of ["simd", "scalar"]) {
    await compileWasi("assembly/wasi/compiled.ts", `template-${target}`, `dist/wasi/template-${target}.wasm`);
    // of a core for some models only
    await compileWasi("assembly/index.ts", `template-${target}`, `dist/wasi/core-${target}.wasm`);
    const ending = target === "simd" ? "" : "-scalar";
    const both = `dist/wasi/modules${ending}.wasm`;
    await compileWasi("assembly/wasi/modules.ts", target, both);
    writePart(readFileSync(both), (name) => name === "_start", `dist/wasi/mote${ending}.wasm`);
    writePart(readFileSync(both), (name) => name !== "_start", `dist/wasi/reactor${ending}.wasm`);
    rmSync(both);
  }
}
