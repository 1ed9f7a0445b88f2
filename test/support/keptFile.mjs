// node --expose-gc keptFile.mjs model.mote: prints whether the file's bytes are still there, first beside the model and a
// session of it, then beside the session alone.
import { readFileSync } from "node:fs";
import { loadModel } from "../../dist/host/targets/node.js";

const bytes = () => new Uint8Array(readFileSync(process.argv[2]));
let file;
async function load() {
  const own = bytes();
  file = new WeakRef(own.buffer);
  return loadModel(own);
}
// a WeakRef holds on until the turn ends
const isKept = async () => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  gc();
  return file.deref() !== undefined;
};

let model = await load();
const session = await model.createSession();
const besideModel = await isKept();
const { name } = model;
model = undefined;
const besideSession = await isKept();
console.log(JSON.stringify({ name, besideModel, besideSession, right: session.selfTest() }));
