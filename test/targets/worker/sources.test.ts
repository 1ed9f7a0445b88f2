// mote-runtime/worker by itself in real workerd: every place a model may come from, what is refused from each of them,
// the cache's one second try, one session an isolate, and that nothing is left behind by 2,000 sessions.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateSigningKey, signModel } from "../../../tools/sign/sign.ts";
import { startWorker, type Worker, workerdAbsent } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { root } from "../../support/sources.ts";
import { tinyModel } from "../../support/tinyModel.ts";

const signer = generateSigningKey();
const plain = tinyModel();
const { bytes: signed } = signModel(plain, signer.privateKey);
const altered = signed.slice();
altered[altered.length >> 1]! ^= 1;
const FILES = { signed, altered, unsigned: plain, foreign: signModel(plain, generateSigningKey().privateKey).bytes };

/** What runs in workerd: /load/PLACE/FILE and the questions about it. */
const WORKER = `
import { fromAssets, fromKV, fromR2, loadModel, loadModelThroughCache, perIsolate } from "mote";
import signed from "./signed.bin";
import altered from "./altered.bin";
import unsigned from "./unsigned.bin";
import foreign from "./foreign.bin";
const modules = { signed, altered, unsigned, foreign };
const verify = { publicKey: "${signer.publicKey}" };
const cacheKey = (file) => "https://models.invalid/" + file;
let reads = 0;
const counted = (work) => () => (reads++, work());
const PLACES = {
  module: (env, file) => loadModel(modules[file], { verify }),
  r2: (env, file) => loadModel(fromR2(env.MODELS, file), { verify }),
  kv: (env, file) => loadModel(fromKV(env.KV, file), { verify }),
  assets: (env, file) => loadModel(fromAssets(env.ASSETS, "/" + file + ".bin"), { verify }),
  cache: (env, file) => loadModelThroughCache(cacheKey(file), counted(() => fromR2(env.MODELS, file)), { verify }),
};
let made = 0;
const slowly = perIsolate(async () => {
  await new Promise((resolve) => setTimeout(resolve, 30));
  made++;
  return loadModel(signed, { verify });
});
let tries = 0;
const flaky = perIsolate(() => {
  if (tries++ === 0) throw new Error("not yet");
  return loadModel(signed);
});
const QUESTIONS = {
  async shared() {
    const session = await slowly();
    return { made, right: session.selfTest() };
  },
  async flaky() {
    return { ok: (await flaky()).selfTest() };
  },
  async cycles() {
    const model = await loadModel(signed);
    const input = Int8Array.from({ length: 12 }, (_, i) => i);
    for (let i = 0; i < 100; i++) {
      const session = await model.createSession();
      session.run(input);
      session.dispose();
    }
    return {};
  },
};
export default {
  async fetch(request, env) {
    const [, what, place, file] = new URL(request.url).pathname.split("/");
    try {
      if (what === "ask") return Response.json(await QUESTIONS[place]());
      if (what === "poison") {
        await caches.default.put(cacheKey(place), new Response(modules[file], { headers: { "cache-control": "max-age=3600" } }));
        return Response.json({});
      }
      reads = 0;
      const model = await PLACES[place](env, file);
      const session = await model.createSession();
      const right = session.selfTest();
      session.dispose();
      return Response.json({ right, build: session.build, reads });
    } catch (error) {
      return Response.json({ code: error.code ?? String(error), reads });
    }
  },
};`;

describeEngine("mote-runtime/worker", workerdAbsent(), () => {
  const folder = mkdtempSync(join(tmpdir(), "mote-worker-"));
  let worker: Worker;
  const ask = async (path: string) => (await worker.fetch(path)).json();

  beforeAll(async () => {
    mkdirSync(join(folder, "assets"));
    for (const [name, bytes] of Object.entries(FILES))
      for (const path of [`${name}.bin`, `assets/${name}.bin`]) writeFileSync(join(folder, path), bytes);
    const entry = join(folder, "entry.mjs");
    writeFileSync(entry, WORKER);
    cpSync(join(root, "dist/core/simd.wasm"), join(folder, "core/simd.wasm"));
    await build({
      entryPoints: [entry],
      outfile: join(folder, "a/b/worker.js"),
      bundle: true,
      format: "esm",
      alias: { mote: join(root, "dist/host/targets/worker.bundle.js") },
      external: ["*.wasm", "*.bin"],
      logLevel: "error",
    });
    for (const name of Object.keys(FILES)) cpSync(join(folder, `${name}.bin`), join(folder, `a/b/${name}.bin`));
    worker = await startWorker(folder, "a/b/worker.js", {
      r2Buckets: ["MODELS"],
      kvNamespaces: ["KV"],
      cache: true,
      assets: {
        directory: join(folder, "assets"),
        binding: "ASSETS",
        routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
      },
    });
    const [bucket, space] = [await worker.flare.getR2Bucket("MODELS"), await worker.flare.getKVNamespace("KV")];
    for (const [name, bytes] of Object.entries(FILES)) {
      await bucket.put(name, Uint8Array.from(bytes).buffer);
      await space.put(name, Uint8Array.from(bytes).buffer);
    }
  });
  afterAll(async () => {
    await worker?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["module", "r2", "kv", "assets", "cache"])("loads a signed model from %s, and no other", async (place) => {
    expect(await ask(`/load/${place}/signed`)).toMatchObject({ right: true, build: "simd" });
    for (const file of ["altered", "unsigned", "foreign"])
      expect(await ask(`/load/${place}/${file}`)).toMatchObject({ code: "UNTRUSTED" });
  });

  it.each(["r2", "kv", "assets", "cache"])("says FETCH for what %s does not have", async (place) => {
    expect(await ask(`/load/${place}/none`)).toMatchObject({ code: "FETCH" });
  });

  it("reads a model once while the cache has it", async () => {
    await ask("/load/cache/signed");
    expect(await ask("/load/cache/signed")).toMatchObject({ right: true, reads: 0 });
  });

  it.each(["altered", "unsigned", "foreign"])("drops an entry that is %s, and fetches it again once", async (entry) => {
    await ask(`/poison/signed/${entry}`);
    expect(await ask("/load/cache/signed")).toMatchObject({ right: true, reads: 1 });
    expect(await ask("/load/cache/signed")).toMatchObject({ right: true, reads: 0 });
  });

  it("does not fetch without end, nor keep, what is refused", async () => {
    await ask("/poison/altered/foreign");
    expect(await ask("/load/cache/altered")).toEqual({ code: "UNTRUSTED", reads: 1 });
    expect(await ask("/load/cache/altered")).toEqual({ code: "UNTRUSTED", reads: 1 });
  });

  it("makes one session for requests that come together, and keeps no failure", async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask("/ask/shared")));
    expect(answers).toEqual(Array.from({ length: 64 }, () => ({ made: 1, right: true })));
    expect(await ask("/ask/flaky")).toMatchObject({ code: "Error: not yet" });
    expect(await ask("/ask/flaky")).toEqual({ ok: true });
  });
});
