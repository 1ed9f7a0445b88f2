// POST /keywords: which word a second of sound holds. The model comes from R2 by way of the Cache API and is used only
// if it has the signature of MODEL_PUBLIC_KEY; any model with 49 × 10 MFCC as input will do.
import { fromR2, HttpError, loadModelThroughCache, perIsolate, readBody } from "mote-runtime/worker";
import { mfcc, SAMPLE_RATE } from "../../features/mfcc.js";
import { ranked } from "./scores.js";
import { readWav } from "./wav.js";

const LIMITS = { maxBytes: 128 * 1024, types: ["audio/wav", "audio/x-wav", "audio/wave"], timeoutMs: 5000 };

let model;
export const keywordSession = perIsolate(async (env) => {
  const { MODELS, KEYWORDS_KEY, MODEL_PUBLIC_KEY } = env;
  model = await loadModelThroughCache(
    `https://models.invalid/${KEYWORDS_KEY}`,
    () => fromR2(MODELS, KEYWORDS_KEY),
    // an empty key refuses every model: see README.md for how to make one
    { verify: { publicKey: MODEL_PUBLIC_KEY }, maxMemoryBytes: 32 * 2 ** 20 },
  );
  return model;
});

export async function spotKeyword(request, env) {
  const samples = readWav(await readBody(request, LIMITS), SAMPLE_RATE);
  const session = await keywordSession(env);
  const features = mfcc(samples);
  const expected = model.inputs[0].shape.reduce((product, size) => product * size, 1);
  if (features.length !== expected) throw new HttpError(500, "The model does not take 49 × 10 MFCC.");
  const [best, ...others] = ranked(session, model, features);
  return Response.json({ keyword: best.label, score: best.score, others: others.slice(0, 3), build: session.build });
}
