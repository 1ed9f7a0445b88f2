// POST /embed: sentences as embeddings of length 1. Model and tokenizer are static assets that only this Worker reads, each
// used only if it has the SHA-256 that was bundled with the code. Invariant: one session an isolate; every failure is an
// answer with a status and one sentence as JSON, and the isolate lives on.
import { errorResponse, fromAssets, HttpError, loadModel, MoteError, perIsolate, readBody } from "mote-runtime/worker";
import { embedder, readTokenizer } from "../embedder.mjs";
import hashes from "./generated/hashes.json"; // of prepare.mjs
import { MOST_BYTES, sentencesOf } from "./sentences.js";

const LIMITS = { maxBytes: MOST_BYTES, types: ["application/json"], timeoutMs: 5000 };

async function readJson(env, name) {
  const response = await fromAssets(env.ASSETS, name);
  if (!response.ok) throw new MoteError("FETCH", `There is no asset "${name}": run prepare.mjs and deploy again.`);
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const got = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (got !== hashes[name])
    throw new MoteError("UNTRUSTED", `"${name}" has the SHA-256 ${got}, expected ${hashes[name]}.`);
  return JSON.parse(new TextDecoder().decode(bytes));
}

let tokenizer;
let rows;
const session = perIsolate(async (env) => {
  const model = await loadModel(fromAssets(env.ASSETS, "minilm.mote"), {
    verify: { sha256: hashes["minilm.mote"] },
    maxMemoryBytes: 32 * 2 ** 20,
  });
  const files = [await readJson(env, "tokenizer.json"), await readJson(env, "tokenizer_config.json")];
  tokenizer = readTokenizer(...files);
  rows = model.inputs[0].shape.at(-1);
  return model;
});

async function embed(request, env) {
  // before the model is asked for: what is no sentence needs none
  const sentences = sentencesOf(await readBody(request, LIMITS));
  const ready = await session(env);
  const one = embedder(tokenizer, [{ rows, session: ready }]);
  return Response.json({ embeddings: sentences.map((sentence) => [...one(sentence)]), build: ready.build });
}

export default {
  async fetch(request, env) {
    try {
      if (new URL(request.url).pathname !== "/embed")
        throw new HttpError(404, "There is nothing here: POST sentences to /embed.");
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      return await embed(request, env);
    } catch (error) {
      const response = errorResponse(error);
      // what the client did wrong is no news; what went wrong here is
      if (response.status >= 500) console.error(error);
      return response;
    }
  },
};
