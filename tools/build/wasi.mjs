// Compiles assembly/wasi/: the command and the reactor in their scalar and simd builds, and the templates that
// `mote compile` prunes (tools/compile/). Texts are written `ascii("…")` there and become bytes in static data here,
// zero at the end: a string of AssemblyScript's own would take twice the bytes and a header of twenty.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

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

export async function buildWasi() {
  mkdirSync("dist/wasi", { recursive: true });
  for (const target of ["simd", "scalar"])
    await compileWasi("assembly/wasi/compiled.ts", `template-${target}`, `dist/wasi/template-${target}.wasm`);
  for (const target of ["simd", "scalar"]) {
    const ending = target === "simd" ? "" : "-scalar";
    await compileWasi("assembly/wasi/command.ts", target, `dist/wasi/mote${ending}.wasm`);
    await compileWasi("assembly/wasi/reactor.ts", target, `dist/wasi/reactor${ending}.wasm`);
  }
}
