// The vectors in a page: `runBuild(build, timed)` is called from outside.
import { loadModel } from "/dist/host/index.bundle.js";
import { runVectors } from "./vectors.mjs";

globalThis.runBuild = async (build, timed) => {
  const index = await (await fetch("/vectors/index.json")).json();
  const blob = new Uint8Array(await (await fetch("/vectors/blob.bin")).arrayBuffer());
  return runVectors(loadModel, undefined, index, blob, build, timed);
};
