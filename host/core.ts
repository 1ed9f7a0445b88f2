// Finds, compiles and starts the core: an AssemblyScript module without imports (assembly/index.ts).
// Invariant: a file is compiled once however many models use it; what `startCore` returns has the
// exports of CoreExports. Called by model.ts (choice) and session.ts (one instance a session).
import { Build } from "../assembly/abi.ts";
import { MoteError } from "./errors.ts";
import { hasSimd, relaxedWins } from "./features.ts";

export type BuildName = "relaxed" | "simd" | "scalar";

/** One build of the core: compiled, its bytes, where to fetch it, or a function that gives one of these. */
export type CoreFile = WebAssembly.Module | BufferSource | URL | string | (() => CoreFile | Promise<CoreFile>);

/** The builds to choose from; give one only and that one is used. */
export type CoreSource = { readonly [build in BuildName]?: CoreFile };

/** What assembly/index.ts exports. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  build(): number;
  heapBase(): number;
  load(base: number, availableBytes: number): number;
  failedStep(): number;
  run(): number;
  runSteps(from: number, to: number): number;
  resetState(): number;
}

/** A compiled build and the address in its memory where a model is put. */
export interface Core {
  readonly build: BuildName;
  /** what the core says of itself on this engine */
  readonly worth: Build;
  readonly module: WebAssembly.Module;
  readonly base: number;
}

const ALIGN = 64;
const FUNCTIONS = ["build", "heapBase", "load", "failedStep", "run", "runSteps", "resetState"] as const;

/** A fresh instance with its own memory. Throws MoteError NO_CORE. */
export async function startCore(module: WebAssembly.Module): Promise<CoreExports> {
  let exports: WebAssembly.Exports;
  try {
    exports = (await WebAssembly.instantiate(module)).exports;
  } catch (cause) {
    throw new MoteError("NO_CORE", `The core does not start on this engine: ${String(cause)}.`, { cause });
  }
  const missing = FUNCTIONS.find((name) => typeof exports[name] !== "function");
  if (missing || !exports.memory)
    throw new MoteError(
      "NO_CORE",
      `The core file has no export "${missing ?? "memory"}": use the one of this release.`,
    );
  return exports as unknown as CoreExports;
}

async function fetchCore(url: URL | string): Promise<BufferSource> {
  const response = await fetch(url);
  if (!response.ok) throw new MoteError("NO_CORE", `Fetching the core ${url} gave HTTP ${response.status}.`);
  return response.arrayBuffer();
}

async function compile(file: CoreFile): Promise<WebAssembly.Module> {
  if (typeof file === "function") return compile(await file());
  if (file instanceof WebAssembly.Module) return file;
  return WebAssembly.compile(typeof file === "string" || file instanceof URL ? await fetchCore(file) : file);
}

async function prepare(file: CoreFile): Promise<Core> {
  const module = await compile(file);
  const core = await startCore(module);
  const worth: Build = core.build();
  const build = worth >= Build.Relaxed ? "relaxed" : worth === Build.Simd ? "simd" : "scalar";
  return { build, worth, module, base: Math.ceil(core.heapBase() / ALIGN) * ALIGN };
}

const byName = new Map<string, Promise<Core>>();
const byObject = new WeakMap<object, Promise<Core>>();

function prepareOnce(file: CoreFile): Promise<Core> {
  const cache = (typeof file === "string" ? byName : byObject) as Map<CoreFile, Promise<Core>>;
  let core = cache.get(file);
  if (!core) {
    core = prepare(file);
    cache.set(file, core);
    // a failure is not kept: the network may be back at the next try
    core.catch(() => cache.delete(file));
  }
  return core;
}

/** Whether a build is worth fetching. */
const PROBES: Readonly<Record<BuildName, () => boolean>> = {
  relaxed: relaxedWins,
  simd: hasSimd,
  scalar: () => true,
};

/** The named build, or the fastest of `source` that this engine runs. Throws MoteError NO_CORE. */
export async function chooseCore(source: CoreSource, only?: BuildName): Promise<Core> {
  let cause: unknown;
  for (const build of ["relaxed", "simd", "scalar"] as const) {
    const file = source[build];
    if (!file || (only && only !== build)) continue;
    try {
      // a compiled module needs no probe, and some hosts allow neither probing nor compiling; what is named runs if it can
      if (!only && !(file instanceof WebAssembly.Module) && !PROBES[build]()) continue;
      const core = await prepareOnce(file);
      // slow on most such machines; the host's probe knows the others
      if (core.worth === Build.RelaxedWrong || (core.worth === Build.RelaxedSlow && !only && !PROBES.relaxed()))
        continue;
      return core;
    } catch (error) {
      // without the relaxed build, whatever the reason, there is still simd
      if (build !== "relaxed" && !(error instanceof WebAssembly.CompileError)) throw error;
      cause = error;
    }
  }
  const wanted = only ?? "relaxed, simd or scalar";
  throw new MoteError("NO_CORE", `No ${wanted} build of the core runs here: give another in "core".`, { cause });
}
