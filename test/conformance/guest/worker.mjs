// The vectors in workerd, where cores are modules of the worker: GET /build?timed=model
import blob from "./blob.bin";
import { loadModel } from "./host.js";
import index from "./index.js";
import relaxed from "./relaxed.wasm";
import scalar from "./scalar.wasm";
import simd from "./simd.wasm";
import { runVectors } from "./vectors.js";

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const bytes = new Uint8Array(blob);
    const core = { relaxed, simd, scalar };
    try {
      return Response.json(
        await runVectors(loadModel, core, index, bytes, pathname.slice(1), searchParams.get("timed")),
      );
    } catch (error) {
      return Response.json({ refused: error.code ?? String(error) });
    }
  },
};
