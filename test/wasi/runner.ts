// A WASI command on an engine: what any engine's program or embedding is asked for, and Node's own host as the first.
// Invariant: every run is a process of its own with a time limit, whose exit status, stdout and stderr are seen whole.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Run {
  readonly status: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly stdin?: Uint8Array;
  /** a file that stdout is, e.g. /dev/full */
  readonly stdoutFile?: string;
  readonly timeoutMs?: number;
}

/** What runs a WASI command: `line` gives the engine's own command line for a module and its arguments. */
export interface WasiEngine {
  readonly name: string;
  /** of the simd module, too; every engine runs the scalar one */
  readonly simd: boolean;
  /** @param folder that the command may use as "." and that is the process's working folder, too */
  line(module: string, folder: string, args: readonly string[]): readonly [program: string, ...args: readonly string[]];
}

const MOST_BYTES = 2 ** 28;

export function runLine(
  [program, ...args]: readonly [string, ...(readonly string[])],
  folder: string,
  { stdin = new Uint8Array(), stdoutFile, timeoutMs = 120_000 }: RunOptions = {},
): Run {
  const file = stdoutFile === undefined ? undefined : openSync(stdoutFile, "w");
  const started = performance.now();
  try {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: folder,
      input: stdin,
      stdio: ["pipe", file ?? "pipe", "pipe"],
      maxBuffer: MOST_BYTES,
      timeout: timeoutMs,
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    return { status, stdout: stdout ?? new Uint8Array(), stderr: String(stderr), ms: performance.now() - started };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

export const runWasi = (
  engine: WasiEngine,
  module: string,
  folder: string,
  args: readonly string[],
  options?: RunOptions,
): Run => runLine(engine.line(module, folder, args), folder, options);

const HOST = fileURLToPath(new URL("nodeHost.mjs", import.meta.url));

/** Node's own WASI host, in this Node or another. */
export const nodeEngine = (name = "node", node: readonly [string, ...string[]] = [process.execPath]): WasiEngine => ({
  name,
  simd: true,
  line: (module, folder, args) => [...node, HOST, module, folder, ...args],
});

/** A module that `npm run build` made: "mote", "reactor" and their scalar builds. */
export const wasiModule = (name: string): string =>
  fileURLToPath(new URL(`../../dist/wasi/${name}.wasm`, import.meta.url));
