// A stream of examples/worker goes on where it was when its Durable Object has been thrown out of memory: workerd is
// ended and started anew on the same stored bytes, as after an eviction or a move. Invariant: every output depends on
// frames before it (test/support/streamModel.ts), so a lost state shows.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packGraph } from "../../../tools/pack/pack.ts";
import { generateSigningKey, signModel } from "../../../tools/sign/sign.ts";
import { absent, ENGINES, findPackage } from "../../engines/find.ts";
import { startWorker, type Worker, workerdAbsent } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { installedProject, type Project } from "../../support/installed.ts";
import { delayGraph, FRAME } from "../../support/streamModel.ts";

const reason = workerdAbsent() ?? (findPackage("wrangler") ? undefined : absent("wrangler"));
const signer = generateSigningKey();
const frames = Uint8Array.from({ length: FRAME * 9 }, (_, i) => (i * 41 + 7) % 256);

let project: Project;

/** The model of a seed, as it lies in the bucket. */
function stored(seed: number): ArrayBuffer {
  const { bytes } = packGraph(delayGraph(seed), { source: "none", sourceBytes: new Uint8Array() });
  return Uint8Array.from(signModel(bytes, signer.privateKey).bytes).buffer;
}

/** Runs `work` in a workerd of its own, whose objects' storage is the folder `storage`. */
async function inWorkerd<T>(storage: string, seed: number, work: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await startWorker(join(project.folder, "worker/out"), "worker.js", {
    r2Buckets: ["MODELS"],
    bindings: { KEYWORDS_KEY: "k", STREAM_KEY: `s${seed}`, MODEL_PUBLIC_KEY: signer.publicKey },
    durableObjects: { STREAMS: { className: "ModelStream", useSQLite: true } },
    durableObjectsPersist: join(project.folder, storage),
  });
  try {
    await (await worker.flare.getR2Bucket("MODELS")).put(`s${seed}`, stored(seed));
    return await work(worker);
  } finally {
    await worker.close();
  }
}

/** The outputs of frames `from` … `to` - 1 of the stream `name`. */
const ask = async (worker: Worker, name: string, from: number, to: number): Promise<number[][]> => {
  const body = frames.slice(from * FRAME, to * FRAME);
  const headers = { "content-type": "application/octet-stream" };
  const response = await worker.fetch(`/streams/${name}`, { method: "POST", headers, body });
  expect(response.status).toBe(200);
  return ((await response.json()) as { outputs: number[][] }).outputs;
};

describeEngine("a stream whose object was thrown out of memory", reason, () => {
  let whole: number[][];
  beforeAll(async () => {
    project = installedProject();
    project.copy("examples/worker", "worker");
    const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
    project.run(process.execPath, wrangler, "deploy", "--dry-run", "--outdir", "out", "-c", "worker/wrangler.jsonc");
    whole = await inWorkerd("whole", 1, (worker) => ask(worker, "whole", 0, 9));
  });
  afterAll(() => project?.remove());

  it("goes on with the bytes of one that never was, also the second time", async () => {
    const outputs: number[][] = [];
    for (const [from, to] of [
      [0, 2],
      [2, 3],
      [3, 9],
    ] as const)
      outputs.push(...(await inWorkerd("kept", 1, (worker) => ask(worker, "parts", from, to))));
    expect(outputs).toEqual(whole);
  });

  it("begins anew where nothing was stored", async () => {
    const [first] = await inWorkerd("empty", 1, (worker) => ask(worker, "parts", 3, 9));
    expect(first).not.toEqual(whole[3]);
  });

  it("begins anew, and is served, when the model is another one than the stored state's", async () => {
    await inWorkerd("updated", 1, (worker) => ask(worker, "parts", 0, 3));
    const after = await inWorkerd("updated", 2, (worker) => ask(worker, "parts", 3, 9));
    expect(after).toEqual(await inWorkerd("fresh", 2, (worker) => ask(worker, "parts", 3, 9)));
  });
});
