// What is shipped to a user: bytes of Mote's host and core, and of each peer's scripts and wasm file, as they
// are and as gzip and brotli make them, file by file.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { OWN, pathOf, ROOT } from "./places.mjs";

/** The builds of the core that are built, fastest first. */
export function moteBuilds() {
  return ["relaxed", "simd", "scalar"].filter((build) => existsSync(`${ROOT}dist/core/${build}.wasm`));
}

const PEERS = {
  litert: ["LiteRT.js", "/made/litert.mjs", ...litert("litert_wasm_internal.js", "litert_wasm_internal.wasm")],
  ort: ["ORT-web, wasm only", ...ort("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")],
  tfjs: ["tfjs core + converter + wasm", "/made/tfjs.mjs", tfjs("tfjs-backend-wasm-simd.wasm")],
};
function litert(...names) {
  return names.map((name) => `/packages/@litertjs/core/wasm/${name}`);
}
function ort(...names) {
  return names.map((name) => `/packages/onnxruntime-web/dist/${name}`);
}
function tfjs(name) {
  return `/packages/@tensorflow/tfjs-backend-wasm/dist/${name}`;
}

/** @returns rows of { label, raw, gzip, brotli, wasm }: bytes, `wasm` those of the wasm file as it is */
export function measureSizes(peers) {
  const file = `${OWN}sizes.json`;
  const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const mote = moteBuilds().map((build) => [
    `Mote host + ${build}`,
    "/made/mote/host/index.js",
    `/made/mote/core/${build}.wasm`,
  ]);
  const rows = [...mote, ...peers.filter((peer) => PEERS[peer]).map((peer) => PEERS[peer])].map(([label, ...files]) => {
    const sizes = files.map((address) => sizesOf(readFileSync(pathOf(address)), known));
    const sum = (key) => sizes.reduce((total, size) => total + size[key], 0);
    return { label, raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli"), wasm: sizes.at(-1).raw };
  });
  writeFileSync(file, JSON.stringify(known));
  return rows;
}

/** Brotli at its best takes half a minute for the largest, so what is known of the same bytes is kept. */
function sizesOf(bytes, known) {
  const key = createHash("sha256").update(bytes).digest("hex");
  known[key] ??= {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }).length,
  };
  return known[key];
}
