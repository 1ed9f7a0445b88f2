// Models with int4 weights, widened to int8 by the importer. XNNPACK takes such weights in
// fullyConnected only; LiteRT runs the convolutions by its own kernels, which multiply by a Q31
// number and round twice, where Mote (like XNNPACK on int8 weights) rounds once.
// Shown here: with that one difference put in, LiteRT's bytes come out (kws, vww); without it each
// convolution is within 1 LSB of LiteRT's rule on the same input; fullyConnected is XNNPACK's, exactly.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { evaluateAll } from "../../tools/evaluate/reference.ts";
import type { Graph, Node, TensorData } from "../../tools/graph/graph.ts";
import { importModel } from "../../tools/import/index.ts";
import { fixedPoint, multiplyFixedPoint } from "../../tools/ops/fixedPoint.ts";
import type { Value } from "../../tools/ops/operator.ts";
import { clampRange } from "../../tools/ops/quantization.ts";
import { operatorFor } from "../../tools/ops/registry.ts";
import { expectConformance } from "../support/conformance.ts";
import { describeShared } from "../support/shared.ts";
import { setCases } from "./goldens.ts";

type Convolution = Node<"conv2d" | "depthwiseConv2d">;

const isConvolution = (node: Node): node is Convolution => node.op === "conv2d" || node.op === "depthwiseConv2d";

/** The node by LiteRT's rule on the given input. */
function byLiteRT(graph: Graph, node: Convolution, x: TensorData): Int8Array {
  const [input, weights] = [graph.tensors[node.inputs[0]!]!, graph.tensors[node.inputs[1]!]!];
  const bias = node.inputs[2]! >= 0 ? graph.tensors[node.inputs[2]!]!.data : undefined;
  const output = graph.tensors[node.outputs[0]!]!;
  const [batch, outH, outW, outC] = output.shape as [number, number, number, number];
  const [, inH, inW, inC] = input.shape as [number, number, number, number];
  const [, kernelH, kernelW] = weights.shape as [number, number, number];
  const depthwise = node.op === "depthwiseConv2d";
  const { strideH, strideW, padding, dilationH, dilationW, activation } = node.attrs;
  const [min, max] = clampRange(activation, output, node.name);
  const zero = input.quant!.zeroPoint[0]!;
  const result = new Int8Array(batch * outH * outW * outC);
  for (let at = 0; at < result.length; at++) {
    const n = at % outC;
    const ox = Math.floor(at / outC) % outW;
    const oy = Math.floor(at / (outC * outW)) % outH;
    let acc = Number(bias?.[n] ?? 0);
    for (let ky = 0; ky < kernelH; ky++) {
      for (let kx = 0; kx < kernelW; kx++) {
        const y = oy * strideH - padding.top + ky * dilationH;
        const column = ox * strideW - padding.left + kx * dilationW;
        if (y < 0 || y >= inH || column < 0 || column >= inW) continue;
        const from = (y * inW + column) * inC;
        if (depthwise) {
          acc +=
            (Number(x[from + Math.floor((n * inC) / outC)]) - zero) *
            Number(weights.data![(ky * kernelW + kx) * outC + n]);
        } else {
          const w = ((n * kernelH + ky) * kernelW + kx) * inC;
          for (let c = 0; c < inC; c++) acc += (Number(x[from + c]) - zero) * Number(weights.data![w + c]);
        }
      }
    }
    const scales = weights.quant!.scale;
    const scale = (input.quant!.scale[0]! * scales[scales.length === 1 ? 0 : n]!) / output.quant!.scale[0]!;
    const q = multiplyFixedPoint(acc, fixedPoint(scale)) + output.quant!.zeroPoint[0]!;
    result[at] = Math.min(max, Math.max(min, q));
  }
  return result;
}

const hasInt4Weights = (graph: Graph, node: Node): boolean =>
  (graph.tensors[node.inputs[1]!]!.data as Int8Array).every((w) => w >= -8 && w <= 7);

/** The graph's outputs with int4 convolutions by LiteRT's rule and all else by Mote's. */
function evaluateMixed(graph: Graph, inputs: readonly TensorData[]): TensorData[] {
  const data: (TensorData | undefined)[] = graph.tensors.map((tensor) => tensor.data);
  for (const [i, id] of graph.inputs.entries()) data[id] = inputs[i];
  for (const node of graph.nodes) {
    if (isConvolution(node) && hasInt4Weights(graph, node)) {
      data[node.outputs[0]!] = byLiteRT(graph, node, data[node.inputs[0]!]!);
      continue;
    }
    const values = node.inputs.map((id): Value | undefined =>
      id < 0 ? undefined : { ...graph.tensors[id]!, data: data[id]! },
    );
    const outputs = node.outputs.map((id) => graph.tensors[id]!);
    const results = operatorFor(node.op).reference(node, values, outputs);
    for (const [i, id] of node.outputs.entries()) data[id] = results[i];
  }
  return graph.outputs.map((id) => data[id]!);
}

describeShared("int4 weights", (data) => {
  const open = (name: string) => ({
    graph: importModel(new Uint8Array(readFileSync(join(data, "int4-tflite", name, "model.tflite"))), name),
    cases: setCases(data, "int4-tflite", name).map(({ name: label, inputs, outputs }) => ({
      label,
      input: new Int8Array(inputs[0]!.slice().buffer),
      want: new Int8Array(outputs[0]!.xnnpack!.slice().buffer),
    })),
  });

  it("ad01_w4a8 (fullyConnected) gives XNNPACK's bytes on every build", () => {
    const { graph, cases } = open("ad01_w4a8");
    for (const { label, input, want } of cases) expect(expectConformance(graph, [input])[0], label).toEqual(want);
  });

  it.each(["kws_w4a8", "vww_w4a8_pointwise_only"])(
    "%s gives LiteRT's bytes once its convolutions round twice",
    (name) => {
      const { graph, cases } = open(name);
      for (const { label, input, want } of cases) expect(evaluateMixed(graph, [input])[0], label).toEqual(want);
    },
  );

  it.each(["kws_w4a8", "vww_w4a8_pointwise_only", "resnet8_w4a8"])(
    "%s: every build equals the reference, each convolution within 1 LSB of LiteRT's rule, the same top class",
    (name) => {
      const { graph, cases } = open(name);
      for (const { label, input, want } of cases) {
        const [got] = expectConformance(graph, [input]);
        expect((got as Int8Array).indexOf(Math.max(...(got as Int8Array))), label).toBe(
          want.indexOf(Math.max(...want)),
        );
        const values = evaluateAll(graph, [input]);
        for (const node of graph.nodes) {
          if (!isConvolution(node)) continue;
          const other = byLiteRT(graph, node, values[node.inputs[0]!]!);
          const ours = values[node.outputs[0]!] as Int8Array;
          const largest = other.reduce((most, q, i) => Math.max(most, Math.abs(q - ours[i]!)), 0);
          expect(largest, `${label}: ${node.name}`).toBeLessThanOrEqual(1);
        }
      }
    },
  );
});
