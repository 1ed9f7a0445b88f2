// The models of the bench: six that the peers run too, from ../shared/peers, and our own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { writeFloatOnnx } from "./peers/onnxFloat.mjs";
import { exists, pathOf, ROOT } from "./places.mjs";

/** by file name in peers/models: `<file>_int8`, `<file>_u8io`, and a float twin where there is one */
const SHARED = {
  kws: { file: "kws", float: "kws_f32true" },
  vww: { file: "vww", float: "vww_fp32" },
  resnet8: { file: "resnet", float: "resnet_fp32" },
  ad01: { file: "ad01", float: "ad01_fp32" },
  strww: { file: "strww", float: "strww_fp32" },
  mbv2: { file: "mbv2", float: "mbv2_fp32" },
};
const OWN = { digits: `${ROOT}models/digits/digits.tflite` };

export const MODEL_NAMES = [...Object.keys(SHARED), ...Object.keys(OWN)];

/**
 * The models among `names` (or all) that are here: what they are, what they must answer, and the addresses of
 * their files. Nothing here is read by the peers but what `expected` says.
 */
export function findModels(names) {
  const sharedIsHere = exists("/peers/inputs/meta.json");
  const meta = sharedIsHere ? JSON.parse(readFileSync(pathOf("/peers/inputs/meta.json"), "utf8")) : {};
  const macs = sharedIsHere ? JSON.parse(readFileSync(pathOf("/peers/macs.json"), "utf8")) : {};
  const wanted = names ?? (sharedIsHere ? Object.keys(SHARED) : Object.keys(OWN));
  const models = [];
  const absent = [];
  for (const name of wanted) {
    if (SHARED[name] && sharedIsHere) models.push(sharedModel(name, meta, macs));
    else if (OWN[name] && existsSync(OWN[name])) models.push({ name, source: OWN[name] });
    else absent.push(name);
  }
  return { models, absent, sharedIsHere };
}

function sharedModel(name, meta, macs) {
  const { file, float } = SHARED[name];
  const { ref, out_scale, out_zp, dtype, shape_nhwc, shape_nchw } = meta[file];
  const expected = { ref, outScale: out_scale, outZeroPoint: out_zp, dtype, classifies: out_scale === 1 / 256 };
  return {
    name,
    file,
    float,
    source: pathOf(`/peers/models/${file}_int8.tflite`),
    macs: macs[`${file}_int8`].macs,
    expected: { ...expected, shapeNhwc: shape_nhwc, shapeNchw: shape_nchw },
    hasFloat: exists(`/peers/models/${float}.tflite`),
    hasLayers: exists(`/peers/tfjs/${file}.json`),
  };
}

/** Makes the float nets that ONNX Runtime runs, `floatOnnx` of each model that has one. */
export function makeFloatOnnx(models) {
  mkdirSync(pathOf("/made/models"), { recursive: true });
  for (const model of models.filter(({ hasLayers }) => hasLayers)) {
    const plan = JSON.parse(readFileSync(pathOf(`/peers/tfjs/${model.file}.json`), "utf8"));
    const { buffer, byteOffset, length } = readFileSync(pathOf(`/peers/tfjs/${model.file}.bin`));
    model.floatOnnx = `/made/models/${model.name}_fp32.onnx`;
    writeFileSync(pathOf(model.floatOnnx), writeFloatOnnx(plan, buffer.slice(byteOffset, byteOffset + length)));
  }
}

/**
 * Packs the models for Mote; `moteFile` of each is then the address of the result, and `golden` what the integer
 * reference says to the bench's input; `sevenFile` and `sevenGolden` the same with weights of seven bits.
 */
export async function packModels(models) {
  const { evaluate, importModel, packGraph, parseWeights, recodeWeights } = await import("../../dist/tools/index.js");
  mkdirSync(pathOf("/made/models"), { recursive: true });
  for (const model of models) {
    const sourceBytes = readFileSync(model.source);
    const source = basename(model.source);
    const graph = importModel(sourceBytes, source);
    const { bytes, header } = packGraph(graph, { source, sourceBytes });
    model.moteFile = `/made/models/${model.name}.mote`;
    model.moteBytes = bytes.length;
    model.memoryBytes = header.memory.totalBytes;
    model.macs ??= header.steps.reduce((sum, step) => sum + step.macs, 0);
    writeFileSync(pathOf(model.moteFile), bytes);
    const seven = recodeWeights(graph, { default: parseWeights("int7", "the bench"), layers: [] });
    model.sevenFile = `/made/models/${model.name}.int7.mote`;
    writeFileSync(pathOf(model.sevenFile), packGraph(seven, { source, sourceBytes }).bytes);
    if (model.file) {
      const input = new Uint8Array(readFileSync(pathOf(`/peers/inputs/${model.file}.nhwc.q.bin`)));
      const data = header.inputs[0].storage === "int8" ? new Int8Array(input.buffer) : input;
      model.golden = [...evaluate(graph, [data])[0]];
      model.sevenGolden = [...evaluate(seven, [data])[0]];
    }
  }
}
