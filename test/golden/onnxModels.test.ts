// Whole ONNX models of PyTorch, Keras and TFLite, quantized and float, through the importer and the core, against
// ONNX Runtime without optimisations (or ONNX's own evaluator): how close each must be is written beside it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CoreRun } from "../../tools/evaluate/coreRun.ts";
import type { Graph, Tensor, TensorData } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { importModel } from "../../tools/import/index.ts";
import { roundEven } from "../../tools/ops/quantization.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { calibrate } from "../../tools/quantize/calibrate.ts";
import { quantizeGraph } from "../../tools/quantize/quantizeGraph.ts";
import { describeShared } from "../support/shared.ts";
import { sharedData } from "../support/sharedData.ts";

const folder = join(sharedData ?? "", "onnx-models");

interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

interface Case {
  readonly inputs: readonly (Port & { readonly file: string })[];
  readonly outputs: readonly (Port & { readonly files: Readonly<Record<string, string>> })[];
}

/** Greatest difference that is allowed; LSB of an 8-bit output, absolute otherwise. */
const MODELS: Readonly<Record<string, number>> = {
  kws_tflite_qdq: 0,
  pretrainedResnet_tflite_qdq: 2,
  resnet8_qdq_s8s8: 1.01 / 256,
  resnet8_qop_u8u8: 1.01 / 256,
  ad01_qdq_u8s8: 0,
  ad01_dynamic_int8: 0,
  ad01_fp32_float: 1e-4,
  ad01_int4_qdq_b32: 1e-4,
  ad01_int4_matmulnbits_b32: 1e-4,
  pretrainedResnet_float: 1e-5,
  minilm_l0_float: 1e-4,
  minilm_l0_dynamic_int8: 1e-4,
  minilm_l0_int4_qdq_b32: 1e-4,
  minilm_l0_qdq_s8s8: 1e-4,
  gru_japanese_vowels: 1e-5,
  silero_vad_16k_sequence: 1e-4,
};

const casesOf = (model: string): string[] => readdirSync(join(folder, "cases", model));
const caseOf = (model: string, name: string): Case =>
  JSON.parse(readFileSync(join(folder, "cases", model, name, "case.json"), "utf8"));

function arrayOf(path: string, dtype: string): Float32Array | Int8Array | Uint8Array {
  const bytes = readFileSync(path);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return dtype.startsWith("float")
    ? new Float32Array(buffer)
    : dtype === "int8"
      ? new Int8Array(buffer)
      : new Uint8Array(buffer);
}

/** What the host does at a float32 edge. */
function stored(tensor: Tensor, data: TensorData): TensorData {
  if (tensor.dtype === "float32" || !(data instanceof Float32Array)) return data;
  const { scale, zeroPoint } = tensor.quant!;
  return Int8Array.from(data, (x) =>
    Math.max(-128, Math.min(127, roundEven(Math.fround(x / scale[0]!)) + zeroPoint[0]!)),
  );
}

const real = (tensor: Tensor, data: TensorData, asFloat: boolean): ArrayLike<number> =>
  asFloat && tensor.dtype !== "float32"
    ? Float32Array.from(data as Int8Array, (q) => tensor.quant!.scale[0]! * (q - tensor.quant!.zeroPoint[0]!))
    : (data as Int8Array);

const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i, all) => (value > all[best]! ? i : best), 0);

function load(model: string, inputs: readonly Port[]): Graph {
  const dims = Object.fromEntries(
    inputs.flatMap(({ name, shape }) => shape.map((size, axis) => [`${name}:${axis}`, size])),
  );
  const graph = importModel(readFileSync(join(folder, `${model}.onnx`)), `${model}.onnx`, { dims });
  validateGraph(graph);
  return graph;
}

function inputsOf(graph: Graph, model: string, name: string): TensorData[] {
  const { inputs } = caseOf(model, name);
  return graph.inputs.map((id) => {
    const tensor = graph.tensors[id]!;
    const { file, dtype } = inputs.find((input) => input.name === tensor.name)!;
    return stored(tensor, arrayOf(join(folder, "cases", model, name, file), dtype));
  });
}

describeShared("onnx-models", () => {
  describe.each(Object.entries(MODELS))("%s", (model, tolerance) => {
    it(`is within ${tolerance} of the engine, top-1 equal`, () => {
      let loaded: { key: string; graph: Graph; run: CoreRun } | undefined;
      for (const name of casesOf(model)) {
        const { inputs, outputs } = caseOf(model, name);
        const key = JSON.stringify(inputs.map(({ shape }) => shape));
        if (loaded?.key !== key) {
          const graph = load(model, inputs);
          loaded = { key, graph, run: new CoreRun(graph) };
        }
        const { graph, run } = loaded;
        const got = run.run(inputsOf(graph, model, name));
        for (const [i, { dtype, files }] of outputs.entries()) {
          const want = arrayOf(join(folder, "cases", model, name, files.ort_noopt ?? files.onnx_ref!), dtype);
          const values = real(graph.tensors[graph.outputs[i]!]!, got[i]!, dtype.startsWith("float"));
          const worst = Array.from(want).reduce((most, value, at) => Math.max(most, Math.abs(value - values[at]!)), 0);
          expect(worst, `${name}, output ${i}`).toBeLessThanOrEqual(tolerance);
          expect(argmax(values), `${name}, output ${i}`).toBe(argmax(want));
        }
      }
    });
  });

  it("streams silero window by window: the bytes of the whole sequence", () => {
    const model = "silero_vad_16k_sequence";
    const name = casesOf(model)[0]!;
    const { inputs } = caseOf(model, name);
    const whole = load(model, inputs);
    const [sequence, h, c] = inputsOf(whole, model, name) as [Float32Array, Float32Array, Float32Array];
    const [all, lastH, lastC] = new CoreRun(whole).run([sequence, h, c]);
    const one = load(
      model,
      inputs.map((input, i) => (i === 0 ? { ...input, shape: [1, 576] } : input)),
    );
    const run = new CoreRun(one);
    let state: [TensorData, TensorData] = [h, c];
    const probabilities: number[] = [];
    for (let at = 0; at < sequence.length; at += 576) {
      const [probability, nextH, nextC] = run.run([sequence.slice(at, at + 576), ...state]);
      probabilities.push(probability![0] as number);
      state = [nextH!, nextC!];
    }
    expect(probabilities).toEqual([...(all as Float32Array)]);
    expect(state).toEqual([lastH, lastC]);
  });

  it("leaves a layer in float where it is told to, and says so in the plan", () => {
    const model = "pretrainedResnet_float";
    const graph = load(model, caseOf(model, casesOf(model)[0]!).inputs);
    const ranges = calibrate(graph, [inputsOf(graph, model, casesOf(model)[0]!)]);
    const first = graph.nodes.find(({ op }) => op === "floatConv")!.name;
    const mixed = quantizeGraph(graph, ranges, { keepFloat: (layer) => layer === first });
    validateGraph(mixed);
    expect(mixed.nodes.filter(({ op }) => op === "floatConv").map((node) => node.name)).toEqual([first]);
    expect(mixed.nodes.filter(({ op }) => op === "conv2d")).toHaveLength(8);
    const { header } = packGraph(mixed, { source: "net.onnx", sourceBytes: new Uint8Array() });
    expect(header.steps.find(({ name }) => name === first)?.kernel).toMatch(/f32/);
  });

  it("quantizes a float model by calibration: ResNet-8 keeps its class and most of its scores", () => {
    const model = "pretrainedResnet_float";
    const graph = load(model, caseOf(model, casesOf(model)[0]!).inputs);
    const sets = casesOf(model).map((name) => inputsOf(graph, model, name));
    const int8 = quantizeGraph(graph, calibrate(graph, sets));
    validateGraph(int8);
    expect(int8.nodes.filter(({ op }) => op.startsWith("float"))).toEqual([]);
    expect(int8.nodes.filter(({ op }) => op === "conv2d")).toHaveLength(9);
    // float32 is only at the host's edge, and the sums take their relu with them
    expect(int8.nodes.filter(({ op }) => ["quantize", "dequantize", "map"].includes(op))).toEqual([]);
    const [run, exact] = [new CoreRun(int8), new CoreRun(graph)];
    for (const set of sets) {
      const own = int8.inputs.map((id, i) => stored(int8.tensors[id]!, set[i]!));
      const got = real(int8.tensors[int8.outputs[0]!]!, run.run(own)[0]!, true);
      const want = exact.run(set)[0] as Float32Array;
      expect(argmax(got)).toBe(argmax(want));
      expect(want.reduce((most, value, at) => Math.max(most, Math.abs(value - got[at]!)), 0)).toBeLessThan(0.2);
    }
  });
});
