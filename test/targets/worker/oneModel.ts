// A Worker that answers for one model with a core of only that model's kernels, bundled by wrangler from the packed
// package: what the tests weigh and the bench times. Invariant: answers { output, memoryBytes } to raw input.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { absent, ENGINES, findPackage } from "../../engines/find.ts";
import { workerdAbsent } from "../../engines/workerd.ts";
import { installedProject, type Project } from "../../support/installed.ts";

const WORKER = `
import model from "./model.mote";
import simd from "./core.wasm";
import { errorResponse, loadModel, perIsolate, readBody } from "mote-runtime/worker/own-core";
let dtype;
const session = perIsolate(async () => {
  const loaded = await loadModel(model, { core: { simd }, maxMemoryBytes: 64 * 2 ** 20 });
  dtype = loaded.inputs[0].dtype;
  return loaded;
});
const limits = { maxBytes: 2 ** 20, types: ["application/octet-stream"] };
export default {
  async fetch(request) {
    try {
      if (request.method === "GET") return Response.json({});
      const { buffer } = await readBody(request, limits);
      const ready = await session();
      const [output] = Object.values(ready.run(dtype === "float32" ? new Float32Array(buffer) : new Int8Array(buffer)));
      return Response.json({ output: [...output], memoryBytes: ready.memoryBytes });
    } catch (error) {
      return errorResponse(error);
    }
  },
};`;
const CONFIG = JSON.stringify({
  name: "one-model",
  main: "worker.js",
  compatibility_date: "2026-04-20",
  rules: [{ type: "Data", globs: ["**/*.mote"], fallthrough: true }],
});

/** Why it cannot be bundled or run here; undefined when it can. */
export const oneModelAbsent = (): string | undefined =>
  workerdAbsent() ?? (findPackage("wrangler") ? undefined : absent("wrangler"));

/** Where Workers of one model are bundled. */
export function oneModelProject(): Project {
  const project = installedProject();
  project.link("binaryen");
  return project;
}

export interface Bundle {
  /** has worker.js and all that it imports */
  readonly folder: string;
  /** bytes of all that is uploaded */
  readonly upload: number;
  /** by wrangler */
  readonly said: string;
}

/** The Worker of a model, named so. */
export function bundleWorker(project: Project, name: string, bytes: Uint8Array): Bundle {
  project.write(`${name}/worker.js`, WORKER);
  project.write(`${name}/wrangler.jsonc`, CONFIG);
  project.write(`${name}/model.mote`, bytes);
  const mote = join(project.folder, "node_modules/mote-runtime/dist/tools/cli/main.js");
  project.run(process.execPath, mote, "core", `${name}/model.mote`, "-o", `${name}/core.wasm`, "--loops", "dot");
  const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
  const words = ["deploy", "--dry-run", "--minify", "--outdir", "out", "-c", `${name}/wrangler.jsonc`];
  const said = project.run(process.execPath, wrangler, ...words);
  const folder = join(project.folder, name, "out");
  const files = readdirSync(folder).filter((file) => !/\.(map|md)$/.test(file));
  return { folder, said, upload: files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) };
}
