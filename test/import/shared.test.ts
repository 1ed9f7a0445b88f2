// The golden models: each is imported with the operators that its record lists, or refused for the
// reason that is expected of it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ToolError } from "../../tools/errors.ts";
import type { Graph, OpName } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { importModel, importTflite } from "../../tools/import/index.ts";
import { describeShared } from "../support/shared.ts";

interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

interface Listing {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly ops: Readonly<Record<string, number>>;
}

const NODES: Readonly<Record<string, OpName>> = {
  ADD: "add",
  AVERAGE_POOL_2D: "averagePool2d",
  BATCH_MATMUL: "batchMatmul",
  CONCATENATION: "concat",
  CONV_2D: "conv2d",
  DEPTHWISE_CONV_2D: "depthwiseConv2d",
  FULLY_CONNECTED: "fullyConnected",
  LEAKY_RELU: "leakyRelu",
  LOGISTIC: "logistic",
  MAX_POOL_2D: "maxPool2d",
  MEAN: "mean",
  MUL: "mul",
  PAD: "pad",
  RELU: "clamp",
  RESHAPE: "reshape",
  RESIZE_NEAREST_NEIGHBOR: "resizeNearest",
  RSQRT: "rsqrt",
  SOFTMAX: "softmax",
  SPLIT: "split",
  SQUARED_DIFFERENCE: "squaredDifference",
  STRIDED_SLICE: "stridedSlice",
  SUB: "sub",
  TANH: "tanh",
  TRANSPOSE: "transpose",
  UNIDIRECTIONAL_SEQUENCE_LSTM: "lstm",
  TRANSPOSE_CONV: "transposedConv2d",
};

const HYBRID = /has float32 input .* beside int8 weights .*, expected int8, uint8 or int16/;
const QUANTIZE_FIRST = "quantize the model fully to int8 first (full-integer post-training quantization).";

const REFUSED: Readonly<Record<string, RegExp>> = {
  ad_ToyCar_hybrid: HYBRID,
  kws_ref_model_float32: HYBRID,
};

function histogram(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function checkPorts(graph: Graph, ids: readonly number[], listed: readonly Port[]): void {
  expect(ids.map((id) => graph.tensors[id]?.name)).toEqual(listed.map((port) => port.name));
  expect(ids.map((id) => graph.tensors[id]?.shape)).toEqual(listed.map((port) => port.shape));
  const dtypes = ids.map((id) => graph.edges?.get(id) ?? graph.tensors[id]?.dtype);
  expect(dtypes).toEqual(listed.map((port) => port.dtype));
}

function checkModel(bytes: Uint8Array, name: string, listing: Listing): void {
  const refused = REFUSED[name];
  if (refused !== undefined) {
    const run = (): Graph => importModel(bytes, `${name}.tflite`);
    expect(run).toThrow(ToolError);
    expect(run).toThrow(refused);
    expect(run).toThrow(QUANTIZE_FIRST);
    return;
  }
  const wanted: Record<string, number> = {};
  for (const [op, count] of Object.entries(listing.ops)) wanted[NODES[op] ?? op] = count;
  // float operators become other nodes: test/golden/floatTflite.test.ts holds them to their outputs
  const isFloat = importTflite(bytes, name).nodes.some(({ op }) => op === "floatConv" || op === "floatMatmul");
  if (!isFloat) expect(histogram(importTflite(bytes, name).nodes.map((node) => node.op))).toEqual(wanted);

  const graph = importModel(bytes, `${name}.tflite`);
  expect(graph.name).toBe(name);
  checkPorts(graph, graph.inputs, listing.inputs);
  checkPorts(graph, graph.outputs, listing.outputs);
  const inside = graph.nodes.flatMap((node) => node.outputs).filter((id) => !graph.outputs.includes(id));
  expect(inside.filter((id) => graph.tensors[id]?.dtype === "uint8")).toEqual([]);
  // int16 is imported; which operators take it is the operators' own business.
  if (graph.tensors.every((tensor) => tensor.dtype !== "int16")) validateGraph(graph);
}

describeShared("golden models", (data) => {
  const manifest = JSON.parse(readFileSync(join(data, "models/manifest.json"), "utf8")) as {
    models: (Listing & { file: string })[];
  };
  test.each(manifest.models.map((model) => [model.file, model] as const))("models/%s", (file, model) => {
    checkModel(readFileSync(join(data, "models", file)), file.replace(".tflite", ""), model);
  });

  describe.each(["op-zoo", "int4-tflite"])("%s", (folder) => {
    test.each(readdirSync(join(data, folder)))("%s", (name) => {
      const listing = JSON.parse(readFileSync(join(data, folder, name, "case.json"), "utf8")) as Listing;
      checkModel(readFileSync(join(data, folder, name, "model.tflite")), name, listing);
    });
  });

  describe("seanet-int16", () => {
    const folder = join(data, "seanet-int16");
    const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.tflite")));
    test.each(names)("%s", (name) => {
      const run = (): Graph => importModel(readFileSync(join(folder, name, "model.tflite")), `${name}.tflite`);
      // Cut out of a larger model, these take the output's shape as an input.
      if (name.startsWith("transpose_conv")) expect(run).toThrow(/computed at run time, expected a constant/);
      else expect(run().nodes.length).toBeGreaterThan(0);
    });
  });
});
