// binaryConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ sign(x[b, y, x, c]) · w[n, ky, kx, c]), both −1 or 1: sign(x) is
// −1 where the real value is below zero. Cells outside the picture count as 1, as fully binary nets are trained.
// Source: Courbariaux et al., "Binarized Neural Networks", 2016. The bias is at scale s_w, as sign(x) has scale 1.

import { Conv, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { clampRange, multipliers, perTensor, requantize } from "./quantization.ts";
import {
  convFields,
  type Geometry,
  present,
  requireDType,
  requireRank,
  requireWeights,
  rowPixels,
  windowSize,
} from "./window.ts";

function geometryOf(weights: Tensor): Geometry {
  return { kernelH: weights.shape[1]!, kernelW: weights.shape[2]!, dilationH: 1, dilationW: 1 };
}

const pixelBytes = (inC: number): number => Math.ceil(inC / 8);

/** As assembly/ops/binaryConv2d.ts draws them. */
function blocks(node: Node<"binaryConv2d">, weights: Tensor, bias: Tensor | undefined, output: Tensor): Uint8Array {
  const [outC, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
  const cells = kernelH * kernelW;
  const bytes = 128 + cells * pixelBytes(inC) * 16;
  const scale = multipliers(1, weights.quant!, perTensor(output, node.name).scale, outC);
  const packed = new Uint8Array(Math.ceil(outC / 16) * bytes);
  const view = new DataView(packed.buffer);
  for (let n = 0; n < outC; n++) {
    const block = (n >> 4) * bytes;
    const lane = n & 15;
    view.setInt32(block + 4 * lane, Number(bias?.data?.[n] ?? 0) + cells * inC, true);
    view.setFloat32(block + 64 + 4 * lane, scale[n]!, true);
    for (let k = 0; k < cells * inC; k++) {
      const byte = Math.floor(k / inC) * pixelBytes(inC) + ((k % inC) >> 3);
      const sign = weights.data![n * cells * inC + k] as number;
      if (sign < 0) packed[block + 128 + byte * 16 + lane]! |= 1 << ((k % inC) & 7);
    }
  }
  return packed;
}

export const binaryConv2d: Operator<"binaryConv2d"> = {
  name: "binaryConv2d",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    requireDType(x, ["int8"], node.name);
    requireRank(x, 4, node.name);
    requireRank(weights, 4, node.name);
    requireWeights(weights, inputs[2], weights.shape[0]!, node.name);
    const [, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
    if (weights.coding !== "binary" || inC !== x.shape[3] || kernelH * kernelW * inC > 65535) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: weights "${weights.name}" are ${weights.coding ?? "int8"} [${weights.shape}] beside an input [${x.shape}], expected binary ones of as many channels, at most 65535 an output; use conv2d.`,
      );
    }
    perTensor(x, node.name);
    perTensor(outputs[0]!, node.name);
    const [height, width] = windowSize(x, node.attrs, geometryOf(weights), node.name);
    return [{ shape: [x.shape[0]!, height, width, weights.shape[0]!], dtype: x.dtype }];
  },

  reference(node, [x, weights, bias], [output]) {
    const [, inH, inW, inC] = x!.shape as [number, number, number, number];
    const [batch, outH, outW, outC] = output!.shape as [number, number, number, number];
    const [, kernelH, kernelW] = weights!.shape as [number, number, number, number];
    const { strideH, strideW, padding, activation } = node.attrs;
    const inZero = perTensor(x!, node.name).zeroPoint;
    const out = perTensor(output!, node.name);
    const scale = multipliers(1, weights!.quant!, out.scale, outC);
    const [min, max] = clampRange(activation, output!, node.name);
    const w = weights!.data as Int8Array;
    const result = new Int8Array(batch * outH * outW * outC);
    for (let at = 0; at < result.length; at++) {
      const n = at % outC;
      const ox = Math.floor(at / outC) % outW;
      const oy = Math.floor(at / (outC * outW)) % outH;
      const b = Math.floor(at / (outC * outW * outH));
      let acc = Number(bias?.data[n] ?? 0);
      for (let ky = 0; ky < kernelH; ky++) {
        for (let kx = 0; kx < kernelW; kx++) {
          const y = oy * strideH - padding.top + ky;
          const column = ox * strideW - padding.left + kx;
          const inside = y >= 0 && y < inH && column >= 0 && column < inW;
          const from = ((b * inH + y) * inW + column) * inC;
          for (let c = 0; c < inC; c++) {
            const sign = inside && (x!.data[from + c] as number) < inZero ? -1 : 1;
            acc += sign * w[((n * kernelH + ky) * kernelW + kx) * inC + c]!;
          }
        }
      }
      result[at] = requantize(acc, scale[n]!, out.zeroPoint, min, max);
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const weights = lowering.tensor(node.inputs[1]!);
    const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
    const output = lowering.tensor(node.outputs[0]!);
    const geometry = geometryOf(weights);
    const rows = (output.shape[1]! - 1) * node.attrs.strideH + geometry.kernelH;
    const fields = convFields(x, output, node.attrs, geometry, node.name);
    lowering.emit({
      op: Op.BinaryConv2d,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(blocks(node, weights, bias, output)),
      scratchBytes: rows * rowPixels(output, node.attrs, geometry) * pixelBytes(x.shape[3]!),
      fields: fields.filter(([word]) => word <= Conv.Max),
      kernelName: "xor popcount 4×16 binary",
      macs: output.shape[0]! * output.shape[1]! * output.shape[2]! * weights.data!.length,
    });
  },
};
