// workerd, the runtime of Cloudflare Workers, by way of miniflare 4. Invariant: `close` ends its process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { absent, ENGINES, findPackage } from "./find.ts";

export interface Worker {
  readonly version: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** miniflare's own object, for its buckets and namespaces */
  readonly flare: Flare;
  close(): Promise<void>;
}

/** The part of miniflare that is used; the package is not among the project's own. */
export interface Flare {
  readonly ready: Promise<URL>;
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getR2Bucket(name: string): Promise<{ put(key: string, value: ArrayBuffer): Promise<unknown> }>;
  getKVNamespace(name: string): Promise<{ put(key: string, value: ArrayBuffer): Promise<unknown> }>;
  dispose(): Promise<void>;
}

/** Why workerd cannot be started here, for a test to skip itself with; undefined when it can. */
export const workerdAbsent = (): string | undefined => (findPackage("miniflare") ? undefined : absent("workerd"));

/**
 * Starts the worker `folder`/`script`, whose imports of `.wasm` are modules and of `.bin` and `.mote` bytes.
 * @param options more of miniflare's: `r2Buckets`, `kvNamespaces`, `assets` …
 */
export async function startWorker(folder: string, script: string, options: object = {}): Promise<Worker> {
  const { Miniflare } = (await import(pathToFileURL(findPackage("miniflare")!).href)) as {
    Miniflare: new (options: object) => Flare;
  };
  const flare = new Miniflare({
    compatibilityDate: "2026-04-20",
    modules: true,
    modulesRoot: folder,
    scriptPath: join(folder, script),
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
      { type: "Data", include: ["**/*.bin", "**/*.mote"] },
    ],
    telemetry: { enabled: false },
    cf: false,
    ...options,
  });
  await flare.ready;
  const manifest = readFileSync(join(ENGINES, "node_modules/workerd/package.json"), "utf8");
  return {
    version: (JSON.parse(manifest) as { version: string }).version,
    fetch: (path, init) => flare.dispatchFetch(`http://worker${path}`, init),
    flare,
    close: () => flare.dispose(),
  };
}
