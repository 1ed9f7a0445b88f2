// The engines that run WASI commands from a command line, where they are installed.
// Invariant: each sees the folder it is started in, and no other.
import { execFileSync } from "node:child_process";
import { basename, join } from "node:path";
import { absent, ENGINES, findProgram } from "../engines/find.ts";
import { nodeEngine, type WasiEngine } from "./runner.ts";

/** What an engine can be told to stop a program by, and how it then says so. */
export interface Limit {
  readonly what: string;
  readonly line: WasiEngine["line"];
  readonly status: number;
  readonly says: RegExp;
}

export interface CommandEngine extends WasiEngine {
  readonly limits?: readonly Limit[];
  /** its exit status where nobody reads stdout any more, if that is not Mote's: of a process that SIGPIPE ends */
  readonly closedPipe?: number;
  /** whether `.ci/run` installs it */
  readonly quick: boolean;
  /** runs of the scalar build would take minutes */
  readonly slow?: boolean;
  absent(): string | undefined;
  version(): string;
}

const versionOf = (program: string, ...args: readonly string[]): string =>
  /\d+\.\d+\.\d+/.exec(execFileSync(program, args, { encoding: "utf8" }))?.[0] ?? "unknown";

const wazero = findProgram("wazero");
const wazeroEngine = (name: string, ...flags: readonly string[]): CommandEngine => ({
  name,
  simd: true,
  quick: true,
  absent: () => (wazero ? undefined : absent("wazero")),
  version: () => versionOf(wazero!, "version"),
  line: (module, _, args) => [wazero!, "run", ...flags, "-mount", ".:/", module, ...args],
  limits: [
    {
      what: "time",
      line: (module, _, args) => [wazero!, "run", ...flags, "-timeout", "200ms", "-mount", ".:/", module, ...args],
      status: 255,
      says: /deadline exceeded/,
    },
  ],
  // Go leaves SIGPIPE on stdout to the system
  closedPipe: 128 + 13,
});

const wasmi = findProgram("wasmi");
const wasmtime = findProgram("wasmtime");

/** Compiled as they are run, which asks for the limit in both. */
const wasmtimeLimit = (what: string, option: string, says: RegExp): Limit => ({
  what,
  line: (module, _, args) => [wasmtime!, "run", "-W", option, "--dir", ".", module, ...args],
  status: 134,
  says,
});

/** Compiles ahead of time, once a module, and runs what came out. */
function wasmtimeEngine(name: string, ...target: readonly string[]): CommandEngine {
  const made = new Map<string, string>();
  return {
    name,
    simd: true,
    quick: false,
    absent: () => (wasmtime ? undefined : absent("wasmtime")),
    version: () => versionOf(wasmtime!, "--version"),
    line(module, _, args) {
      const path = made.get(module) ?? join(ENGINES, `${basename(module)}-${process.pid}${target.join("")}.cwasm`);
      if (!made.has(module)) execFileSync(wasmtime!, ["compile", ...target, "-o", path, module]);
      made.set(module, path);
      return [wasmtime!, "run", ...target, "--allow-precompiled", "--dir", ".", path, ...args];
    },
  };
}

export const COMMAND_ENGINES: readonly CommandEngine[] = [
  { ...nodeEngine("Node's WASI"), quick: true, absent: () => undefined, version: () => process.versions.node },
  wazeroEngine("wazero", "-cachedir", join(ENGINES, "wazero-cache")),
  { ...wazeroEngine("wazero interpreter", "-interpreter"), quick: false, slow: true },
  {
    name: "wasmi",
    simd: true,
    quick: false,
    absent: () => (wasmi ? undefined : absent("wasmi")),
    version: () => versionOf(wasmi!, "--version"),
    line: (module, _, args) => [wasmi!, "run", "--dir", ".", module, ...args],
    limits: [
      {
        what: "fuel",
        line: (module, _, args) => [wasmi!, "run", "--fuel", "1000000", "--dir", ".", module, ...args],
        status: 1,
        says: /all fuel consumed/,
      },
    ],
  },
  {
    ...wasmtimeEngine("wasmtime, ahead of time"),
    limits: [
      wasmtimeLimit("fuel", "fuel=1000000", /all fuel consumed/),
      wasmtimeLimit("time", "timeout=200ms", /wasm trap: interrupt/),
    ],
  },
  wasmtimeEngine("wasmtime, pulley", "--target", "pulley64"),
];
