// examples/sentences/worker as it is deployed: bundled by wrangler from the packed package, run in real workerd with its
// assets. Once with a random BERT as large as all-MiniLM-L6-v2 (a larger vocabulary instead of six layers), always; once
// with the model itself where it was made. Embeddings must be those of Node, to the last bit, within a Worker's memory.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bertOnnx } from "../../../examples/sentences/bert.mjs";
import { embedder, feedOf, readTokenizer, similarity } from "../../../examples/sentences/embedder.mjs";
import { loadModel } from "../../../host/targets/node.ts";
import { importModel } from "../../../tools/import/index.ts";
import { packGraph } from "../../../tools/pack/pack.ts";
import { postTrainingQuantize } from "../../../tools/quantize/postTraining.ts";
// @ts-expect-error: the bench's scripts have no types
import { residentMiB } from "../../bench/engines/resident.mjs";
import { absent, ENGINES, findPackage } from "../../engines/find.ts";
import { startWorker, type Worker, workerdAbsent } from "../../engines/workerd.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { installedProject, type Project } from "../../support/installed.ts";
import { MINILM_ABSENT, minilm } from "../../support/minilm.ts";
import { bertWeights } from "../../support/smallBert.ts";

/** What Cloudflare gives an isolate, for everything in it. */
const ISOLATE_BYTES = 128_000_000;
const reason = workerdAbsent() ?? (findPackage("wrangler") ? undefined : absent("wrangler"));
const CONFIG = { hidden_size: 384, num_attention_heads: 12, num_hidden_layers: 1, layer_norm_eps: 1e-12 };
const [VOCABULARY, ROWS] = [54_000, 16];

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/** The tokenizer of a BERT whose words are w5, w6 …, in the two files of one. */
const TOKENIZER = {
  "tokenizer.json": {
    version: "1.0",
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(Array.from({ length: VOCABULARY }, (_, id) => [SPECIAL[id] ?? `w${id}`, id])),
    },
  },
  "tokenizer_config.json": { tokenizer_class: "BertTokenizer", do_lower_case: true, unk_token: "[UNK]" },
};
const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `w${5 + ((from + i * 4099) % (VOCABULARY - 5))}`).join(" ");

/** The files that make.mjs leaves behind, of the random BERT. */
function plant(project: Project, folder: string): void {
  const tokenizer = readTokenizer(TOKENIZER["tokenizer.json"], TOKENIZER["tokenizer_config.json"]);
  const weights = bertWeights({ config: CONFIG, vocabulary: VOCABULARY, wide: 1536, rows: ROWS });
  const sourceBytes = bertOnnx(weights, CONFIG, ROWS);
  const known = Array.from({ length: 8 }, (_, i) => {
    const { input_ids, attention_mask } = feedOf(tokenizer, words(i * 977, 3 + i), ROWS);
    return [input_ids, attention_mask];
  });
  const integer = postTrainingQuantize(importModel(sourceBytes, "planted.onnx"), known);
  project.write(`${folder}/minilm-64.mote`, packGraph(integer, { source: "planted.onnx", sourceBytes }).bytes);
  for (const [name, json] of Object.entries(TOKENIZER)) project.write(`${folder}/${name}`, JSON.stringify(json));
}

let project: Project;

/** The Worker of the model and tokenizer in `folder`, and the same embedder in Node. */
async function deploy(folder: string, to: string) {
  project.copy("examples/sentences", to);
  project.run(process.execPath, `${to}/worker/prepare.mjs`, folder);
  const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
  const said = project.run(
    ...([process.execPath, wrangler, "deploy", "--dry-run", "--outdir", "dist"] as const),
    ...["-c", `${to}/worker/wrangler.jsonc`],
  );
  const at = join(project.folder, to, "worker");
  const assets = join(at, "generated/assets");
  /** with the assets that workerd itself reads from disk: nothing but the Worker takes memory */
  const start = () =>
    startWorker(join(at, "dist"), "worker.js", {
      serviceBindings: { ASSETS: { disk: { path: assets, writable: false } } },
    });
  /** with the Workers that serve assets, as wrangler dev has them */
  const startBehindAssets = (directory = assets) =>
    startWorker(join(at, "dist"), "worker.js", {
      assets: {
        directory,
        binding: "ASSETS",
        routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
      },
    });
  const json = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const model = await loadModel(join(folder, "minilm-64.mote"));
  const session = await model.createSession({ build: "simd" });
  const rows = model.inputs[0]!.shape.at(-1)!;
  const embed = embedder(readTokenizer(json("tokenizer.json"), json("tokenizer_config.json")), [{ rows, session }]);
  return { assets, said, start, startBehindAssets, embed };
}

async function post(worker: Worker, body: string | Uint8Array, type = "application/json") {
  const init = { method: "POST", headers: { "content-type": type }, body: body as BodyInit };
  const response = await worker.fetch("/embed", init);
  // biome-ignore lint/suspicious/noExplicitAny: whatever the Worker answers
  return { status: response.status, json: (await response.json()) as any };
}
const asked = (sentences: unknown): string => JSON.stringify({ sentences });

/** The status that a body's length gets, before any of it was sent. */
const declare = async ({ flare }: Worker, bytes: number): Promise<number | undefined> => {
  const { port } = await flare.ready;
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": bytes };
    const sent = request({ host: "127.0.0.1", port, path: "/embed", method: "POST", headers }, (answer) => {
      resolve(answer.statusCode);
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
};

/**
 * All memory of the process but the pages of its executable, which no isolate pays for; miniflare's own Workers are in it.
 */
const workerdBytes = (): number => residentMiB(process.pid, "workerd", "RssAnon") * 2 ** 20;

describeEngine("the Worker of sentences", reason, () => {
  beforeAll(() => {
    project = installedProject();
    project.link("@huggingface/tokenizers");
  });
  afterAll(() => project?.remove());

  describe("with a random BERT of 22 MB", () => {
    let worker: Worker;
    let deployed: Awaited<ReturnType<typeof deploy>>;
    beforeAll(async () => {
      plant(project, "planted");
      deployed = await deploy(join(project.folder, "planted"), "sentences");
      worker = await deployed.start();
    });
    afterAll(() => worker?.close());
    const alive = async (): Promise<void> =>
      expect(await post(worker, asked(["w5 w6"]))).toMatchObject({ status: 200, json: { build: "simd" } });

    it("has a dry run that says its size, without the model in it", () => {
      const [, kib] = /Total Upload: ([\d.]+) KiB/.exec(deployed.said) ?? [];
      expect(Number(kib)).toBeGreaterThan(100);
      expect(Number(kib)).toBeLessThan(400);
    });

    it("gives the embeddings that Node gives, also of what is cut or unknown, within 128 MB", async () => {
      const sentences = [
        ...Array.from({ length: 13 }, (_, i) => words(i, 2 + i)),
        words(1, 120),
        "none of these",
        "W7, w8!",
      ];
      for (let round = 0; round < 3; round++) {
        const { status, json } = await post(worker, asked(sentences));
        expect([status, json.build]).toEqual([200, "simd"]);
        expect(json.embeddings).toEqual(sentences.map((sentence) => [...deployed.embed(sentence)]));
      }
      expect(workerdBytes()).toBeGreaterThan(44e6);
      expect(workerdBytes()).toBeLessThan(ISOLATE_BYTES);
    });

    it("answers 200 requests, 16 at a time, rightly and within 128 MB", async () => {
      const sentences = Array.from({ length: 20 }, (_, i) => words(i * 31, 3 + (i % 9)));
      const expected = sentences.map((sentence) => [...deployed.embed(sentence)]);
      let next = 0;
      let right = 0;
      const client = async (): Promise<void> => {
        while (next < 200) {
          const which = next++ % sentences.length;
          const { json } = await post(worker, asked([sentences[which]]));
          if (JSON.stringify(json.embeddings) === JSON.stringify([expected[which]])) right++;
        }
      };
      await Promise.all(Array.from({ length: 16 }, client));
      expect(right).toBe(200);
      expect(workerdBytes()).toBeLessThan(ISOLATE_BYTES);
    });

    it.each<readonly [string, string | Uint8Array, number]>([
      ["nothing", "", 400],
      ["no JSON", "sentences", 400],
      ["JSON that ends early", '{"sentences": ["a', 400],
      ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), 400],
      ["null", "null", 422],
      ["a list", '["a"]', 422],
      ["one string", asked("a sentence"), 422],
      ["no sentences", asked([]), 422],
      ["17 sentences", asked(Array(17).fill("a")), 422],
      ["numbers", asked(["a", 1]), 422],
      ["an empty sentence", asked([""]), 422],
      ["blanks", asked([" \n "]), 422],
      ["a sentence of 1,001 characters", asked(["a".repeat(1001)]), 422],
      ["half a surrogate pair", '{"sentences": ["\\ud800"]}', 422],
    ])("refuses %s", async (_, body, status) => {
      const answer = await post(worker, body);
      expect(answer).toMatchObject({ status, json: { error: { code: "BAD_REQUEST", message: expect.any(String) } } });
      await alive();
    });

    it("refuses too much, other types, addresses and methods", async () => {
      expect(await declare(worker, 200_000)).toBe(413);
      expect(await post(worker, asked(["a"]), "text/plain")).toMatchObject({ status: 415 });
      expect((await worker.fetch("/")).status).toBe(404);
      const get = await worker.fetch("/embed");
      expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
      await alive();
    });

    it("does not give out its assets", async () => {
      const behind = await deployed.startBehindAssets();
      try {
        expect(await post(behind, asked(["w5"]))).toMatchObject({ status: 200 });
        for (const name of readdirSync(deployed.assets)) expect((await behind.fetch(`/${name}`)).status).toBe(404);
      } finally {
        await behind.close();
      }
    });

    it.each([
      ["minilm.mote", 500, "UNTRUSTED"],
      ["tokenizer.json", 500, "UNTRUSTED"],
      ["tokenizer_config.json", 500, "UNTRUSTED"],
      ["minilm.mote", 503, "FETCH"],
      ["tokenizer.json", 503, "FETCH"],
    ])("answers for %s, altered or absent, with %i %s", async (name, status, code) => {
      const assets = join(project.folder, `assets-${status}-${name}`);
      const from = deployed.assets;
      cpSync(from, assets, { recursive: true, filter: (path) => status !== 503 || !path.endsWith(name) });
      if (status === 500) {
        const bytes = readFileSync(join(from, name));
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(join(assets, name), bytes);
      }
      const refusing = await deployed.startBehindAssets(assets);
      try {
        expect(await post(refusing, asked(["w5"]))).toMatchObject({ status, json: { error: { code } } });
      } finally {
        await refusing.close();
      }
    });
  });

  it("embeds with all-MiniLM-L6-v2, near what is near in meaning, within 128 MB", async ({ skip }) => {
    if (!minilm) return skip(MINILM_ABSENT);
    const { start, embed } = await deploy(minilm, "real");
    const worker = await start();
    try {
      const sentences = ["How do I reset my password?", "I cannot log in", "The train to Rome leaves at nine"];
      const { status, json } = await post(worker, asked(sentences));
      expect(status).toBe(200);
      expect(json.embeddings).toEqual(sentences.map((sentence) => [...embed(sentence)]));
      const [a, b, c] = json.embeddings.map((embedding: number[]) => Float32Array.from(embedding));
      expect(similarity(a, a)).toBeCloseTo(1, 3);
      expect(similarity(a, b)).toBeGreaterThan(similarity(a, c) + 0.2);
      for (let i = 0; i < 3; i++) await post(worker, asked(Array(16).fill(sentences[i % 3])));
      expect(workerdBytes()).toBeLessThan(ISOLATE_BYTES);
    } finally {
      await worker.close();
    }
  });
});
