// What the bench of weights measures, in parts of a minute at most, each a process of its own whose results are kept, so that
// a run may stop and go on, and each part may be timed when the machine is quiet.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { importModel } from "../../../dist/tools/import/index.js";
import { exists, pathOf } from "../places.mjs";
import { bundle, install, installedVersion } from "../setup.mjs";

const GUEST = fileURLToPath(new URL("guest.mjs", import.meta.url));
const LITERT = fileURLToPath(new URL("../sparse/litertGuest.mjs", import.meta.url));

export const LAYER_CHOICES = ["int4", "int4:g32", "codebook", "ternary", "binary", "signs"];
export const MODEL_CHOICES = ["int4", "int4:g32", "codebook", "ternary", "sparse:0.75"];
export const MODELS = ["kws", "vww", "resnet", "ad01", "strww", "mbv2"];
/** layers by the model that they are of: of those whose weights are worth coding */
const LAYERS = ["vww", "ad01", "mbv2"];

/** name → a function that measures it */
export function parts(engines) {
  const own = engines.flatMap(({ build, program }) => [
    ...LAYERS.map((model) => [`${build} layers ${model}`, () => guest(program, build, model, LAYER_CHOICES)]),
    ...MODELS.map((model) => [
      `${build} models ${model}`,
      () => guest(program, build, `models:${model}`, MODEL_CHOICES),
    ]),
  ]);
  return new Map([...own, ["litert", litert]]);
}

function guest(program, build, filter, choices) {
  const out = execFileSync(program, [GUEST, build, filter, choices.join(","), "", "--json"], { encoding: "utf8" });
  return JSON.parse(out.trim().split("\n").at(-1));
}

/** Milliseconds of whole int8 models in LiteRT.js, in this Node. */
async function litert() {
  if (install(["litert"]).length > 0) return undefined;
  await bundle(["litert"]);
  const models = {};
  for (const name of MODELS) {
    const file = `/peers/models/${name}_u8io.tflite`;
    if (!exists(file)) continue;
    const { tensors, inputs } = importModel(readFileSync(pathOf(file)), name);
    const out = execFileSync(process.execPath, [LITERT, JSON.stringify(tensors[inputs[0]].shape), pathOf(file)], {
      encoding: "utf8",
    });
    [models[name]] = JSON.parse(out.trim().split("\n").at(-1));
  }
  return { version: installedVersion("@litertjs/core"), models };
}
