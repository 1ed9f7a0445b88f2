// The Worker: which address is served by what. Every failure is an answer with a status and one sentence as JSON; the
// isolate and its sessions live on.
import { errorResponse, HttpError } from "mote-runtime/worker";
import { classifyDigit } from "./digits.js";
import { spotKeyword } from "./keywords.js";
import { forwardToStream } from "./stream.js";

export { ModelStream } from "./stream.js";

const ROUTES = [
  [/^\/digits$/, classifyDigit],
  [/^\/keywords$/, spotKeyword],
  [/^\/streams\/([\w-]{1,64})$/, forwardToStream],
];

export default {
  async fetch(request, env) {
    try {
      const { pathname } = new URL(request.url);
      for (const [pattern, answer] of ROUTES) {
        const match = pattern.exec(pathname);
        if (!match) continue;
        if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
        return await answer(request, env, match[1]);
      }
      throw new HttpError(404, "There is nothing here: POST to /digits, /keywords or /streams/NAME.");
    } catch (error) {
      const response = errorResponse(error);
      // what the client did wrong is no news; what went wrong here is
      if (response.status >= 500) console.error(error);
      return response;
    }
  },
};
