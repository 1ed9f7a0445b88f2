// What a Worker for one model weighs and holds: its upload, with a core of only that model's kernels, and the memory of
// its isolate, which workerd does not limit here and Cloudflare does, at 128 MB.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importModel } from "../../../tools/import/index.ts";
import { packGraph } from "../../../tools/pack/pack.ts";
// @ts-expect-error: the bench's scripts have no types
import { residentMiB } from "../../bench/engines/resident.mjs";
import { startWorker } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import type { Project } from "../../support/installed.ts";
import { sharedData } from "../../support/sharedData.ts";
import { root } from "../../support/sources.ts";
import { packKeywords } from "../webview/page.ts";
import { bundleWorker, oneModelAbsent, oneModelProject } from "./oneModel.ts";

const KIB = 1024;
/** What Cloudflare gives an isolate, for everything in it. */
const ISOLATE_BYTES = 128_000_000;

function packed(source: string): Uint8Array {
  const sourceBytes = readFileSync(join(sharedData!, "models", source));
  return packGraph(importModel(sourceBytes, source), { source, sourceBytes }).bytes;
}

interface Model {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  /** of the whole upload: model, core and host */
  readonly limitKiB: number;
  /** bytes of an input without a golden case */
  readonly input?: number;
  /** case of the shared data */
  readonly golden?: string;
  /** made of the shared data */
  readonly shared?: boolean;
}
const MODELS: readonly Model[] = [
  { name: "digits", bytes: () => readFileSync(join(root, "models/digits/digits.mote")), limitKiB: 150 },
  // above the goal of 150: its self-test runs on a second of sound, 62.5 KiB of samples that are part of the file
  { name: "kws-from-sound", bytes: packKeywords, limitKiB: 154, input: 64_000, shared: true },
  {
    name: "kws",
    bytes: () => packed("kws_ref_model.tflite"),
    limitKiB: 150,
    golden: "kws_ref_model/yes",
    shared: true,
  },
];

describeEngine("a Worker of one model", oneModelAbsent(), () => {
  let project: Project;
  beforeAll(() => {
    project = oneModelProject();
  });
  afterAll(() => project?.remove());

  it.for<Model>(MODELS)(
    "$name: answers, in at most $limitKiB KiB in all, and far below 128 MB",
    async (model, { skip }) => {
      if (model.shared && !sharedData) return skip("../shared/data is absent");
      const bytes = model.bytes();
      const { folder: bundle, upload, said } = bundleWorker(project, model.name, bytes);
      const worker = await startWorker(bundle, "worker.js");
      try {
        expect(said).toMatch(/Total Upload: [\d.]+ KiB/);
        expect(upload).toBeLessThanOrEqual(model.limitKiB * KIB);
        const folder = join(sharedData ?? "", "cases", model.golden ?? "");
        const input = model.golden ? readFileSync(join(folder, "in0.bin")) : new Uint8Array(model.input ?? 784);
        const headers = { "content-type": "application/octet-stream" };
        const answer = await worker.fetch("/", { method: "POST", headers, body: input as BodyInit });
        const { output, memoryBytes } = (await answer.json()) as { output: number[]; memoryBytes: number };
        if (model.golden) {
          const { outputs } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
          expect(output).toEqual([...new Int8Array(readFileSync(join(folder, outputs[0].files.xnnpack)))]);
        } else expect(output.length).toBeGreaterThanOrEqual(10);
        expect(memoryBytes).toBeLessThan(2 ** 20);
        // all of the process, which also runs miniflare's own Workers
        expect(residentMiB(process.pid, "workerd") * 2 ** 20).toBeLessThan(ISOLATE_BYTES);
      } finally {
        await worker.close();
      }
    },
  );
});
