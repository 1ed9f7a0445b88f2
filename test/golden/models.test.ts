// Whole models from the field, byte for byte: .tflite → import → pack → every build of the core.
// The bar is XNNPACK; where a model's row below names another engine, the reason stands beside it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { expectSameBytes, BUILDS as LOOPS, runImage } from "../support/conformance.ts";
import { BUILDS } from "../support/core.ts";
import { describeShared } from "../support/shared.ts";
import { type GoldenCase, modelCases, setCases } from "./goldens.ts";

/** How far the outputs may be from an engine: the largest difference in LSB, and why it is not 0. */
interface Bar {
  readonly engine: "xnnpack" | "builtin" | "ref";
  readonly lsb: number;
  readonly why?: string;
}

const EXACT: Bar = { engine: "xnnpack", lsb: 0 };

const MODELS = [
  "kws_ref_model",
  "vww_96_int8",
  "pretrainedResnet_quant",
  "ad01_int8",
  "str_ww_ref_model",
  "person_detect",
  "mobilenet_v1_0.25_128_quant",
  "micro_speech_lstm",
  "simple_add_model",
  "split_concat",
];

const ZOO: Readonly<Record<string, Bar>> = {
  add_bcast: EXACT,
  attention_block: {
    engine: "xnnpack",
    lsb: 1,
    why: "XNNPACK takes no int8 batch matmul: LiteRT's own kernel rounds twice",
  },
  batch_matmul: EXACT,
  batch_matmul_adjy: EXACT,
  concat_rescale: EXACT,
  conv_1d: EXACT,
  conv_dil2: EXACT,
  dwconv_dil2: EXACT,
  fc_batch: EXACT,
  fc_int16x8: EXACT,
  gru_unrolled: EXACT,
  hard_swish: EXACT,
  layernorm: EXACT,
  leaky_relu: EXACT,
  maxpool_k3s2_same: EXACT,
  mean_hw: EXACT,
  mean_last_keep: EXACT,
  mul_bcast: EXACT,
  pad_conv_s2: EXACT,
  pad_only: EXACT,
  resize_nearest: EXACT,
  softmax_seq: EXACT,
  sub: EXACT,
  tanh: EXACT,
  transposed_conv: EXACT,
};

async function expectGoldens(file: string, cases: readonly GoldenCase[], bar: Bar): Promise<void> {
  expect(cases.length).toBeGreaterThan(0);
  const source = new Uint8Array(readFileSync(file));
  const graph = importModel(source, "model.tflite");
  const packed = packGraph(graph, { source: "model.tflite", sourceBytes: source });
  const model = await loadModel(packed.bytes);
  for (const build of BUILDS) {
    const session = await model.createSession({ build });
    expect(session.build).toBe(build);
    for (const golden of cases) {
      const inputs = Object.fromEntries(
        model.inputs.map((port, i) => [port.name, typed(port.dtype, golden.inputs[i]!)]),
      );
      const outputs = session.run(inputs);
      for (const [i, port] of model.outputs.entries()) {
        const got = outputs[port.name]!;
        const bytes = new Uint8Array(got.buffer, got.byteOffset, got.byteLength);
        const want = golden.outputs[i]![bar.engine]!;
        const what = `${build}, case ${golden.name}, output ${i} against ${bar.engine}`;
        if (bar.lsb === 0) expectSameBytes(bytes, want, what);
        else expectWithin(got, typed(port.dtype, want), bar.lsb, what);
      }
    }
    session.dispose();
  }
  const inputs = graph.inputs.map((id, i) => typed(graph.tensors[id]!.dtype, cases[0]!.inputs[i]!));
  const [scalar, ...others] = LOOPS.map((loops) => runImage(loops, graph, packed.image, inputs));
  for (const other of others) {
    for (const [i, bytes] of other.entries()) expectSameBytes(bytes, scalar![i]!, `every loop, output ${i}`);
  }
}

function expectWithin(got: ArrayLike<number>, want: ArrayLike<number>, lsb: number, what: string): void {
  expect(got.length, what).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    if (Math.abs(got[i]! - want[i]!) > lsb) expect.fail(`${what}: element ${i} is ${got[i]}, want ${want[i]} ± ${lsb}`);
  }
}

function typed(dtype: string, bytes: Uint8Array) {
  const copy = bytes.slice().buffer;
  switch (dtype) {
    case "int8":
      return new Int8Array(copy);
    case "uint8":
      return new Uint8Array(copy);
    case "int16":
      return new Int16Array(copy);
    case "float32":
      return new Float32Array(copy);
    default:
      throw new Error(`no golden has dtype ${dtype}`);
  }
}

describeShared("models of the field", (data) => {
  for (const name of MODELS) {
    it(`${name} gives XNNPACK's bytes`, () =>
      expectGoldens(join(data, "models", `${name}.tflite`), modelCases(data, name), EXACT));
  }
});

describeShared("memory", (data) => {
  it("kws_ref_model takes one page, of the three it may", async () => {
    const sourceBytes = new Uint8Array(readFileSync(join(data, "models", "kws_ref_model.tflite")));
    const { bytes } = packGraph(importModel(sourceBytes, "kws.tflite"), { source: "kws.tflite", sourceBytes });
    const session = await (await loadModel(bytes)).createSession();
    expect(session.memoryBytes).toBeLessThanOrEqual(192 * 1024);
    expect(session.memoryBytes).toBe(65536);
  });
});

describeShared("op-zoo", (data) => {
  for (const [name, bar] of Object.entries(ZOO)) {
    it(`${name} is within ${bar.lsb} of ${bar.engine}`, () =>
      expectGoldens(join(data, "op-zoo", name, "model.tflite"), setCases(data, "op-zoo", name), bar));
  }
});
