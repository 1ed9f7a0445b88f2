// The embeddings of examples/wasi/ as engines: programs that take a reactor and (model, input, output) triples.
// Invariant: what is compiled, is compiled once, into `.engines/`, from the example's own files.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { absent, ENGINES } from "../engines/find.ts";
import { emulated } from "../support/arm64.ts";
import { root } from "../support/sources.ts";

export interface Embedding {
  readonly name: string;
  readonly simd: boolean;
  /** whether `.ci/run` installs it */
  readonly quick: boolean;
  /** whether it runs on another processor's emulator, so that times mean nothing */
  readonly emulated?: boolean;
  absent(): string | undefined;
  version(): string;
  line(module: string, triples: readonly string[]): readonly string[];
}

const example = (path: string): string => join(root, "examples/wasi", path);

const python = join(ENGINES, "python/bin/python");
const hasPython = (name: string): boolean =>
  existsSync(python) && existsSync(join(ENGINES, "python/installed")) && pythonVersion(name) !== undefined;

function pythonVersion(name: string): string | undefined {
  const program = `import importlib.metadata as m; print(m.version("${name}"))`;
  try {
    return execFileSync(python, ["-c", program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

const pythonEmbedding = (
  name: string,
  packageName: string,
  engine: string,
  simd: boolean,
  ...script: readonly string[]
): Embedding => ({
  name,
  simd,
  quick: true,
  absent: () => (hasPython(packageName) ? undefined : absent(engine)),
  version: () => pythonVersion(packageName)!,
  line: (module, triples) => [python, example(script[0]!), ...script.slice(1), module, ...triples],
});

const goProgram = join(ENGINES, "bin/mote-embed-go");
const wamrProgram = (build: string): string => join(ENGINES, "wamr", build, "embed");
const WAMR = "2.4.3";
const wazeroVersion = (): string => /wazero v(\S+)/.exec(readFileSync(example("go/go.mod"), "utf8"))![1]!;
const rustProgram = join(ENGINES, "rust/target/release/mote-embed");

/** A program for another processor, linked whole, in its emulator. */
function onArm(
  name: string,
  processor: "aarch64" | "arm",
  engine: string,
  program: string,
  version: () => string,
): Embedding {
  const emulator = emulated(processor);
  return {
    name: `${name} (qemu)`,
    simd: true,
    quick: false,
    emulated: true,
    absent: () => (!emulator ? absent("qemu-libraries") : existsSync(program) ? undefined : absent(engine)),
    version,
    line: (module, triples) => [...emulator!, program, module, ...triples],
  };
}
const javaClasses = join(ENGINES, "java/target/classes");
const javaClasspath = (): string => `${javaClasses}:${readFileSync(join(ENGINES, "java/classpath.txt"), "utf8")}`;

export const EMBEDDINGS: readonly Embedding[] = [
  {
    name: "wazero in Go",
    simd: true,
    quick: true,
    absent: () => (existsSync(goProgram) ? undefined : absent("embed-go")),
    version: wazeroVersion,
    line: (module, triples) => [goProgram, module, ...triples],
  },
  {
    name: "WAMR fast interpreter in C",
    simd: true,
    quick: false,
    absent: () => (existsSync(wamrProgram("build")) ? undefined : absent("wamr")),
    version: () => WAMR,
    line: (module, triples) => [wamrProgram("build"), module, ...triples],
  },
  {
    name: "wasmtime in Rust",
    simd: true,
    quick: false,
    absent: () => (existsSync(rustProgram) ? undefined : absent("embed-rust")),
    version: () => /wasmtime = .*?"=([\d.]+)"/.exec(readFileSync(example("rust/Cargo.toml"), "utf8"))![1]!,
    line: (module, triples) => [rustProgram, module, ...triples],
  },
  onArm("wazero on arm64", "aarch64", "embed-go-arm64", join(ENGINES, "bin/mote-embed-go-arm64"), wazeroVersion),
  onArm("WAMR on arm64", "aarch64", "wamr-arm", wamrProgram("build-aarch64"), () => WAMR),
  onArm("WAMR on ARMv7", "arm", "wamr-arm", wamrProgram("build-armv7"), () => WAMR),
  {
    name: "Chicory in Java",
    simd: false,
    quick: false,
    absent: () => (existsSync(javaClasses) ? undefined : absent("embed-java")),
    version: () => /runtime-([\d.]+)\.jar/.exec(javaClasspath())![1]!,
    line: (module, triples) => ["java", "-cp", javaClasspath(), "Embed", module, ...triples],
  },
  pythonEmbedding("wasmtime in Python", "wasmtime", "python-wasmtime", true, "python/embed.py"),
  pythonEmbedding("wasmtime in Python, ahead of time", "wasmtime", "python-wasmtime", true, "python/embed.py", "--aot"),
  {
    ...pythonEmbedding(
      "wasmtime in Python, pulley",
      "wasmtime",
      "python-wasmtime",
      true,
      "python/embed.py",
      "--pulley",
    ),
    quick: false,
  },
  pythonEmbedding("wasm3 in Python", "pywasm3", "pywasm3", false, "python/embed_wasm3.py"),
];
