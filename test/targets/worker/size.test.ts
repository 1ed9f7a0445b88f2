// What a Worker for one model weighs and holds: its upload, with a core of only that model's kernels, and the memory of
// its isolate, which workerd does not limit here and Cloudflare does, at 128 MB.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importModel } from "../../../tools/import/index.ts";
import { packGraph } from "../../../tools/pack/pack.ts";
// @ts-expect-error: the bench's scripts have no types
import { residentMiB } from "../../bench/engines/resident.mjs";
import { absent, ENGINES, findPackage } from "../../engines/find.ts";
import { startWorker, type Worker, workerdAbsent } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { installedProject, type Project } from "../../support/installed.ts";
import { sharedData } from "../../support/sharedData.ts";
import { root } from "../../support/sources.ts";

const KIB = 1024;
/** What Cloudflare gives an isolate, for everything in it. */
const ISOLATE_BYTES = 128_000_000;

const WORKER = `
import model from "./model.mote";
import simd from "./core.wasm";
import { errorResponse, loadModel, perIsolate, readBody } from "mote-runtime/worker/own-core";
const session = perIsolate(() => loadModel(model, { core: { simd }, maxMemoryBytes: 64 * 2 ** 20 }));
const limits = { maxBytes: 2 ** 20, types: ["application/octet-stream"] };
export default {
  async fetch(request) {
    try {
      const input = new Int8Array((await readBody(request, limits)).buffer);
      const ready = await session();
      const [output] = Object.values(ready.run(input));
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

function packed(source: string): Uint8Array {
  const sourceBytes = readFileSync(join(sharedData!, "models", source));
  return packGraph(importModel(sourceBytes, source), { source, sourceBytes }).bytes;
}

interface Model {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  /** case of the shared data */
  readonly golden?: string;
}
const MODELS: readonly Model[] = [
  { name: "digits", bytes: () => readFileSync(join(root, "models/digits/digits.mote")) },
  { name: "kws", bytes: () => packed("kws_ref_model.tflite"), golden: "kws_ref_model/yes" },
];

const reason = workerdAbsent() ?? (findPackage("wrangler") ? undefined : absent("wrangler"));

describeEngine("a Worker of one model", reason, () => {
  let project: Project;
  beforeAll(() => {
    project = installedProject();
    project.link("binaryen");
  });
  afterAll(() => project?.remove());

  /** Bundles and starts it; says what it uploads. */
  async function deploy(name: string, bytes: Uint8Array): Promise<{ worker: Worker; upload: number; said: string }> {
    project.write(`${name}/worker.js`, WORKER);
    project.write(`${name}/wrangler.jsonc`, CONFIG);
    project.write(`${name}/model.mote`, bytes);
    const mote = join(project.folder, "node_modules/mote-runtime/dist/tools/cli/main.js");
    project.run(process.execPath, mote, "core", `${name}/model.mote`, "-o", `${name}/core.wasm`, "--loops", "dot");
    const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
    const words = ["deploy", "--dry-run", "--minify", "--outdir", "out", "-c", `${name}/wrangler.jsonc`];
    const said = project.run(process.execPath, wrangler, ...words);
    const out = join(project.folder, name, "out");
    const files = readdirSync(out).filter((file) => !/\.(map|md)$/.test(file));
    const upload = files.reduce((sum, file) => sum + statSync(join(out, file)).size, 0);
    return { worker: await startWorker(out, "worker.js"), upload, said };
  }

  it.for<Model>(MODELS)(
    "$name: answers, in at most 150 KiB beside larger weights, and far below 128 MB",
    async (model, { skip }) => {
      if (model.golden && !sharedData) return skip("../shared/data is absent");
      const bytes = model.bytes();
      const { worker, upload, said } = await deploy(model.name, bytes);
      try {
        expect(said).toMatch(/Total Upload: [\d.]+ KiB/);
        expect(upload - Math.max(0, bytes.length - 43 * KIB)).toBeLessThanOrEqual(150 * KIB);
        const folder = join(sharedData ?? "", "cases", model.golden ?? "");
        const input = model.golden ? readFileSync(join(folder, "in0.bin")) : new Uint8Array(784);
        const headers = { "content-type": "application/octet-stream" };
        const answer = await worker.fetch("/", { method: "POST", headers, body: input as BodyInit });
        const { output, memoryBytes } = (await answer.json()) as { output: number[]; memoryBytes: number };
        if (model.golden) {
          const { outputs } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
          expect(output).toEqual([...new Int8Array(readFileSync(join(folder, outputs[0].files.xnnpack)))]);
        } else expect(output).toHaveLength(10);
        expect(memoryBytes).toBeLessThan(2 ** 20);
        // all of the process, which also runs miniflare's own Workers
        expect(residentMiB(process.pid, "workerd") * 2 ** 20).toBeLessThan(ISOLATE_BYTES);
      } finally {
        await worker.close();
      }
    },
  );
});
