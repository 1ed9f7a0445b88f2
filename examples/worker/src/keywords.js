// POST /keywords: which word a second of sound holds. The model comes from R2 by way of the Cache API and is used only
// if it has the signature of MODEL_PUBLIC_KEY; any model that takes samples will do: its front end is a part of it.
import { fromR2, HttpError, loadModelThroughCache, perIsolate, readBody } from "mote-runtime/worker";
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
  // before the model is asked for: what is no sound needs none
  const { samples, sampleRate } = readWav(await readBody(request, LIMITS));
  const session = await keywordSession(env);
  const [{ shape, meaning }] = model.inputs;
  if (meaning?.kind !== "audio") throw new HttpError(500, "The model does not take sound.");
  if (sampleRate !== meaning.sampleRate)
    throw new HttpError(422, `The WAV must have ${meaning.sampleRate} samples a second, not ${sampleRate}.`);
  const input = new Float32Array(shape.at(-1)); // cut, or filled up with silence
  input.set(samples.subarray(0, input.length));
  const [best, ...others] = ranked(session, model, input);
  return Response.json({ keyword: best.label, score: best.score, others: others.slice(0, 3), build: session.build });
}
