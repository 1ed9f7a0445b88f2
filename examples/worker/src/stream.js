// POST /streams/NAME: frames of a stream to a model that keeps a state from frame to frame. Each stream is a Durable
// Object with a session of its own; its state is stored after every request, so that the object may be evicted or
// move and the stream goes on with the same bytes.
import { DurableObject } from "cloudflare:workers";
import { errorResponse, fromR2, HttpError, loadModelThroughCache, readBody } from "mote-runtime/worker";

const LIMITS = { maxBytes: 256 * 1024, types: ["application/octet-stream"], timeoutMs: 5000 };

export const forwardToStream = (request, env, name) => env.STREAMS.get(env.STREAMS.idFromName(name)).fetch(request);

export class ModelStream extends DurableObject {
  #opening;

  async #open() {
    const { MODELS, STREAM_KEY, MODEL_PUBLIC_KEY } = this.env;
    const model = await loadModelThroughCache(
      `https://models.invalid/${STREAM_KEY}`,
      () => fromR2(MODELS, STREAM_KEY),
      { verify: { publicKey: MODEL_PUBLIC_KEY } },
    );
    const session = await model.createSession();
    const saved = session.state.bytes > 0 ? await this.ctx.storage.get("state") : undefined;
    try {
      if (saved) session.state.load(saved);
    } catch (error) {
      // the state of the model's version before this one: its stream begins anew
      if (error.code !== "BAD_STATE") throw error;
    }
    return { model, session };
  }

  /** The body is one frame or more: raw values of the model's first input, one frame after the other. */
  async fetch(request) {
    try {
      const bytes = await readBody(request, LIMITS);
      this.#opening ??= this.#open();
      const { model, session } = await this.#opening.catch((error) => {
        this.#opening = undefined;
        throw error;
      });
      const place = session.input(model.inputs[0].name);
      if (bytes.length % place.byteLength !== 0)
        throw new HttpError(
          400,
          `A frame has ${place.byteLength} bytes: ${bytes.length} are no whole number of frames.`,
        );
      const target = new Uint8Array(place.buffer, place.byteOffset, place.byteLength);
      const { name } = model.outputs[0];
      const outputs = [];
      // nothing is awaited in here: frames of two requests cannot mix
      for (let at = 0; at < bytes.length; at += target.length) {
        target.set(bytes.subarray(at, at + target.length));
        outputs.push([...session.run(place)[name]]);
      }
      if (session.state.bytes > 0) await this.ctx.storage.put("state", session.state.save());
      return Response.json({ outputs });
    } catch (error) {
      const response = errorResponse(error);
      if (response.status >= 500) console.error(error);
      return response;
    }
  }
}
