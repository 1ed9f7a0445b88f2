// The vectors in this Node:  node node.mjs folder build [timed model]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "../../../dist/host/targets/node.js";
import { runVectors } from "./vectors.mjs";

const [folder, build, timed] = process.argv.slice(2);
const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
const blob = new Uint8Array(readFileSync(join(folder, "blob.bin")));
// what the host would take by itself, before a build is asked for by name
const session = await (await loadModel(blob.slice(...index[0].model))).createSession();
const report = { version: process.versions.node, chosen: session.build };
try {
  console.log(JSON.stringify({ ...report, ...(await runVectors(loadModel, undefined, index, blob, build, timed)) }));
} catch (error) {
  console.log(JSON.stringify({ ...report, refused: error.code ?? String(error) }));
}
