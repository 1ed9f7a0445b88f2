// The engines without JavaScript: WASI command lines with mote.wasm, and embeddings (examples/wasi/) with the reactor.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMAND_ENGINES, type CommandEngine } from "../wasi/commands.ts";
import { runWasi, wasiModule } from "../wasi/runner.ts";
import { EMBEDDINGS, type Embedding } from "./embeddings.ts";
import type { Build, Engine, Outcome, Report } from "./engine.ts";
import type { VectorSet } from "./vectors.ts";

/** What a timing may take; how many runs that is, is found out first. */
const TIMED_MS = 1000;
const MOST_RUNS = 2000;
const moduleOf = (name: string, build: Build): string => wasiModule(build === "simd" ? name : `${name}-scalar`);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Milliseconds of one more run: what many take less what few take, of the better of two. `runs` says what a number of runs takes. */
function perRun(runs: (count: number) => number): number {
  const few = 2;
  const base = Math.min(runs(few), runs(few));
  const rough = Math.max((runs(few + 4) - base) / 4, TIMED_MS / MOST_RUNS);
  const many = Math.max(few + 4, Math.round(TIMED_MS / rough));
  return (Math.min(runs(many), runs(many)) - base) / (many - few);
}

function timesOf(set: VectorSet, run: (folder: string) => void): { readonly ms?: number } {
  if (set.timed === undefined) return {};
  const folder = mkdtempSync(join(tmpdir(), "mote-time-"));
  const all = readFileSync(join(set.folder, `${set.timed}.in`));
  const frame = all.subarray(0, set.timed === "digits" ? 784 : 490);
  writeFileSync(join(folder, "m.mote"), readFileSync(join(set.folder, `${set.timed}.mote`)));
  try {
    const ms = perRun((count) => {
      writeFileSync(join(folder, "m.in"), Buffer.concat(Array.from({ length: count }, () => frame)));
      const started = performance.now();
      run(folder);
      return performance.now() - started;
    });
    return { ms };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets what waits have its turn: a test runner asks now and then whether its worker is alive. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function runCommands(engine: CommandEngine, build: Build, set: VectorSet): Promise<Report> {
  const module = moduleOf("mote", build);
  const outcomes: Outcome[] = [];
  for (const model of set.names) {
    await breathe();
    const stdin = readFileSync(join(set.folder, `${model}.in`));
    const args = [...(stdin.length > 0 ? ["--stream"] : []), `${model}.mote`];
    const { status, stdout } = runWasi(engine, module, set.folder, args, { stdin });
    outcomes.push({ model, equal: status === 0 && same(stdout, set.output(model)) });
  }
  const time = timesOf(set, (folder) => void runWasi(engine, module, folder, ["--stream", "m.mote", "m.in", "m.out"]));
  return { version: engine.version(), outcomes, ...time };
}

function runEmbedding(engine: Embedding, build: Build, set: VectorSet): Report {
  const module = moduleOf("reactor", build);
  const folder = mkdtempSync(join(tmpdir(), "mote-embed-"));
  const call = (triples: readonly string[], cwd: string): void => {
    const [program, ...args] = engine.line(module, triples) as [string, ...string[]];
    execFileSync(program, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  };
  try {
    const at = (name: string): string => join(set.folder, name);
    call(
      set.names.flatMap((name) => [at(`${name}.mote`), at(`${name}.in`), join(folder, `${name}.out`)]),
      folder,
    );
    const outcomes = set.names.map((model): Outcome => {
      return { model, equal: same(readFileSync(join(folder, `${model}.out`)), set.output(model)) };
    });
    const version = engine.version();
    if (engine.emulated) return { version, outcomes };
    return { version, outcomes, ...timesOf(set, (cwd) => call(["m.mote", "m.in", "m.out"], cwd)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const WASI_ENGINES: readonly Engine[] = [
  ...COMMAND_ENGINES.map(
    (engine): Engine => ({
      name: engine.name,
      builds: engine.slow ? ["simd"] : ["scalar", "simd"],
      quick: engine.quick,
      absent: engine.absent,
      run: (build, set) => runCommands(engine, build, set),
    }),
  ),
  ...EMBEDDINGS.map(
    (engine): Engine => ({
      name: engine.name,
      builds: engine.simd ? ["scalar", "simd"] : ["scalar"],
      quick: engine.quick,
      absent: engine.absent,
      run: (build, set) => runEmbedding(engine, build, set),
    }),
  ),
];
