// The four nets of the comparison: float and published int8 twin; how models are run and judged.
// Invariant: what is judged is the packed model run by the core: packGraph, loadModel, session.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "../../../host/targets/node.ts";
import type { Graph } from "../../../tools/graph/graph.ts";
import { importModel } from "../../../tools/import/index.ts";
import { packGraph } from "../../../tools/pack/pack.ts";

export const NETS = [
  { name: "kws", float: "kws_f32true", int8: "kws_int8" },
  { name: "vww", float: "vww_fp32", int8: "vww_int8" },
  { name: "resnet8", float: "resnet_fp32", int8: "resnet_int8" },
  { name: "ad01", float: "ad01_fp32", int8: "ad01_int8" },
] as const;

export type Net = (typeof NETS)[number];

/** The shared folder, or undefined where it is absent. */
export const shared = ["../shared", "../../shared"].find((path) => existsSync(join(path, "peers/models")));

export function readNet(file: string): Graph {
  return importModel(readFileSync(join(shared!, "peers/models", `${file}.tflite`)), `${file}.tflite`);
}

/** The outputs of the packed model, and its bytes. */
export async function runPacked(graph: Graph, inputs: readonly Float32Array[]) {
  const { bytes } = packGraph(graph, { source: "net", sourceBytes: new Uint8Array() });
  const model = await loadModel(bytes);
  const session = await model.createSession({ build: "simd" });
  const port = model.header.inputs[0]!;
  const outPort = model.header.outputs[0]!;
  const outputs = inputs.map((input) => {
    const [result] = Object.values(session.run(port.dtype === "float32" ? input : stored(input, port as Scale)));
    return outPort.dtype === "float32"
      ? Float32Array.from(result as Float32Array)
      : real(result as Int8Array, outPort as Scale);
  });
  session.dispose();
  return { outputs, bytes: bytes.length };
}

interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

const stored = (input: Float32Array, { scale, zeroPoint }: Scale): Int8Array =>
  Int8Array.from(input, (value) => Math.max(-128, Math.min(127, Math.round(value / scale) + zeroPoint)));
const real = (values: Int8Array, { scale, zeroPoint }: Scale): Float32Array =>
  Float32Array.from(values, (value) => scale * (value - zeroPoint));

/** Signal to error over all outputs, dB, and the share of inputs with the same largest output. */
export function judge(wanted: readonly Float32Array[], got: readonly Float32Array[]) {
  let [signal, error, agreed] = [0, 0, 0];
  const top = (values: Float32Array): number => values.indexOf(values.reduce((a, b) => Math.max(a, b)));
  for (const [i, want] of wanted.entries()) {
    for (let k = 0; k < want.length; k++) {
      signal += want[k]! ** 2;
      error += (want[k]! - got[i]![k]!) ** 2;
    }
    agreed += Number(top(want) === top(got[i]!));
  }
  return { sqnr: 10 * Math.log10(signal / error), agreement: agreed / wanted.length };
}
