// fullyConnected where the activations are int16: out[r, n] = round(f64(bias[n] + Σk x[r, k] · w[n, k]) · s_x·s_w/s_y),
// halves away from zero: what LiteRT does for this layer, which its convolutions do not.

import { ConvKernel, Dense, Op } from "../../assembly/abi.ts";
import { elementCount, type Node, type Tensor, type TensorData } from "../graph/graph.ts";
import { wideBlocks } from "../pack/wideSums.ts";
import { wideScratch } from "./conv2d16.ts";
import { wideProducts, wideRow } from "./int16Products.ts";
import type { Lowering, Value } from "./operator.ts";
import { clampRange } from "./quantization.ts";

type Dense16 = Node<"fullyConnected">;

export function checkFullyConnected16(
  node: Dense16,
  x: Tensor,
  weights: Tensor,
  bias: Tensor | undefined,
  output: Tensor,
) {
  wideProducts(x, weights, bias, output, "float64", node.name);
}

export function fullyConnected16Reference(
  node: Dense16,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  output: Tensor,
): TensorData {
  const [outC, inC] = weights.shape as [number, number];
  const products = wideProducts(x, weights, bias, output, "float64", node.name);
  const [min, max] = clampRange(node.attrs.activation, output, node.name);
  const data = x.data as Int16Array;
  const rows = data.length / inC;
  const out = new Int16Array(rows * outC);
  for (let r = 0; r < rows; r++) {
    out.set(wideRow(products, data.subarray(r * inC, (r + 1) * inC), min, max), r * outC);
  }
  return out;
}

export function lowerFullyConnected16(node: Dense16, lowering: Lowering): void {
  const [x, weights] = [lowering.tensor(node.inputs[0]!), lowering.tensor(node.inputs[1]!)];
  const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
  const output = lowering.tensor(node.outputs[0]!);
  const [outC, inC] = weights.shape as [number, number];
  const rows = elementCount(x.shape) / inC;
  const [min, max] = clampRange(node.attrs.activation, output, node.name);
  const products = wideProducts(x, weights, bias, output, "float64", node.name);
  lowering.emit({
    op: Op.FullyConnected,
    kernel: ConvKernel.Int16,
    input: lowering.at(node.inputs[0]!),
    output: lowering.at(node.outputs[0]!),
    params: lowering.params(wideBlocks(products)),
    scratchBytes: wideScratch(0),
    fields: [
      [Dense.Rows, rows],
      [Dense.InC, inC],
      [Dense.OutC, outC],
      [Dense.OutZero, 0],
      [Dense.Min, min],
      [Dense.Max, max],
    ],
    kernelName: "rows 4×8 s16×s8, 64-bit sums",
    macs: rows * inC * outC,
  });
}
