// conv2d where the activations are int16: out[b, oy, ox, n] = rule(bias[n] + Σ x[b, y, x, c] · w[n, ky, kx, c]),
// cells outside the picture 0. An int32 bias makes TFLite sum in 32 bits, an int64 one or none in 64.

import { ConvKernel, Op } from "../../assembly/abi.ts";
import type { Node, Tensor, TensorData } from "../graph/graph.ts";
import { wideBlocks } from "../pack/wideSums.ts";
import { wideProducts, wideRow } from "./int16Products.ts";
import type { Lowering, Value } from "./operator.ts";
import { clampRange } from "./quantization.ts";
import { convFields } from "./window.ts";

function productsOf(node: Node<"conv2d">, x: Tensor, weights: Tensor, bias: Tensor | undefined, output: Tensor) {
  return wideProducts(x, weights, bias, output, bias?.dtype === "int32" ? "q31" : "q15", node.name);
}

export function checkConv2d16(
  node: Node<"conv2d">,
  x: Tensor,
  weights: Tensor,
  bias: Tensor | undefined,
  output: Tensor,
) {
  productsOf(node, x, weights, bias, output);
}

export function conv2d16Reference(
  node: Node<"conv2d">,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  output: Tensor,
): TensorData {
  const [, inH, inW, inC] = x.shape as [number, number, number, number];
  const [batch, outH, outW, outC] = output.shape as [number, number, number, number];
  const [, kernelH, kernelW] = weights.shape as [number, number, number];
  const { strideH, strideW, dilationH, dilationW, padding, activation } = node.attrs;
  const products = productsOf(node, x, weights, bias, output);
  const [min, max] = clampRange(activation, output, node.name);
  const data = x.data as Int16Array;
  const out = new Int16Array(batch * outH * outW * outC);
  const row = new Int16Array(kernelH * kernelW * inC);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        row.fill(0);
        for (let tap = 0; tap < kernelH * kernelW; tap++) {
          const y = oy * strideH - padding.top + Math.floor(tap / kernelW) * dilationH;
          const column = ox * strideW - padding.left + (tap % kernelW) * dilationW;
          if (y < 0 || y >= inH || column < 0 || column >= inW) continue;
          const from = ((b * inH + y) * inW + column) * inC;
          row.set(data.subarray(from, from + inC), tap * inC);
        }
        out.set(wideRow(products, row, min, max), at);
        at += outC;
      }
    }
  }
  return out;
}

export function lowerConv2d16(node: Node<"conv2d">, lowering: Lowering): void {
  const [x, weights] = [lowering.tensor(node.inputs[0]!), lowering.tensor(node.inputs[1]!)];
  const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
  const output = lowering.tensor(node.outputs[0]!);
  const [, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
  const { dilationH, dilationW } = node.attrs;
  const products = productsOf(node, x, weights, bias, output);
  lowering.emit({
    op: Op.Conv2d,
    kernel: products.rule === "q31" ? ConvKernel.Int16Narrow : ConvKernel.Int16,
    input: lowering.at(node.inputs[0]!),
    output: lowering.at(node.outputs[0]!),
    params: lowering.params(wideBlocks(products)),
    scratchBytes: wideScratch(kernelH * kernelW * inC),
    fields: convFields(x, output, node.attrs, { kernelH, kernelW, dilationH, dilationW }, node.name),
    kernelName: "gathered rows 4×8 s16×s8, 64-bit sums",
    macs: output.shape[0]! * output.shape[1]! * output.shape[2]! * products.weights.length,
  });
}

/** The sums of 4×8 outputs and four gathered rows. */
export function wideScratch(inputs: number): number {
  return 256 + 4 * (2 * inputs + 2);
}
