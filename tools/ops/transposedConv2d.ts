// transposedConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ (x[b, iy, ix, c] − zx) · (w[n, ky, kx, c] − zw))
// over all iy · strideH + ky = oy + top and ix · strideW + kx = ox + left: the gradient of a convolution.

import { ConvKernel, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import { align16 } from "../pack/align.ts";
import { fitsInt8, gemmBlocks } from "../pack/blocks.ts";
import { refuseGroups } from "./coding.ts";
import { centredWeights } from "./conv2d.ts";
import type { Operator } from "./operator.ts";
import { clampRange, multipliers, perTensor, requantize } from "./quantization.ts";
import { convFields, present, requireDType, requireRank, requireWeights } from "./window.ts";

/** Strides past this would make too many phases: assembly/ops/transposedConv2d.ts. */
const MAX_STRIDE = 64;

/** Taps of one axis that outputs of phase `phase` meet, the farthest first: phase + j · stride, j descending. */
function phaseTaps(kernel: number, stride: number, phase: number): number[] {
  const taps: number[] = [];
  for (let tap = phase; tap < kernel; tap += stride) taps.unshift(tap);
  return taps;
}

/** The blocks of every phase, one after the other: assembly/ops/transposedConv2d.ts says in what order. */
function phaseBlocks(
  node: Node<"transposedConv2d">,
  x: Tensor,
  weights: Tensor,
  bias: Tensor | undefined,
  output: Tensor,
): { bytes: Uint8Array; wide: boolean } {
  const [outC, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
  const { strideH, strideW } = node.attrs;
  const centred = centredWeights(weights);
  const wide = !fitsInt8(centred);
  const common = {
    outputs: outC,
    inputZero: perTensor(x, node.name).zeroPoint,
    bias: bias?.data as Int32Array | undefined,
    multipliers: multipliers(perTensor(x, node.name).scale, weights.quant!, perTensor(output, node.name).scale, outC),
  };
  const phases: Uint8Array[] = [];
  for (let py = 0; py < strideH; py++) {
    for (let px = 0; px < strideW; px++) {
      const rows = phaseTaps(kernelH, strideH, py);
      const columns = phaseTaps(kernelW, strideW, px);
      const own: number[] = [];
      for (let n = 0; n < outC; n++) {
        for (const ky of rows) {
          for (const kx of columns) {
            const from = ((n * kernelH + ky) * kernelW + kx) * inC;
            own.push(...centred.subarray(from, from + inC));
          }
        }
      }
      const products = { ...common, weights: Int16Array.from(own), segments: rows.length, cells: columns.length * inC };
      phases.push(gemmBlocks(products, wide, node.name));
    }
  }
  return { bytes: Buffer.concat(phases), wide };
}

export const transposedConv2d: Operator<"transposedConv2d"> = {
  name: "transposedConv2d",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    requireDType(x, ["int8"], node.name);
    requireRank(x, 4, node.name);
    requireRank(weights, 4, node.name);
    refuseGroups(weights, node.name);
    requireWeights(weights, inputs[2], weights.shape[0]!, node.name);
    const { strideH, strideW, outH, outW } = node.attrs;
    if (weights.shape[3] !== x.shape[3]) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: weights [${weights.shape}] take ${weights.shape[3]} input channels but the input has ${x.shape[3]}; check the weights' layout.`,
      );
    }
    if (strideH < 1 || strideW < 1 || strideH > MAX_STRIDE || strideW > MAX_STRIDE) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: strides of 1 to ${MAX_STRIDE} are supported but they are ${strideH} and ${strideW}.`,
      );
    }
    if (outH < 1 || outW < 1) {
      throw new ToolError("BAD_GRAPH", `${node.name}: the output must be at least 1×1 but is ${outH}×${outW}.`);
    }
    perTensor(x, node.name);
    perTensor(outputs[0]!, node.name);
    return [{ shape: [x.shape[0]!, outH, outW, weights.shape[0]!], dtype: x.dtype }];
  },

  reference(node, [x, weights, bias], [output]) {
    const input = x!.data as Int8Array;
    const [batch, inH, inW, inC] = x!.shape as [number, number, number, number];
    const [outC, kernelH, kernelW] = weights!.shape as [number, number, number];
    const { strideH, strideW, padding, activation, outH, outW } = node.attrs;
    const w = centredWeights(weights!);
    const inZero = perTensor(x!, node.name).zeroPoint;
    const out = perTensor(output!, node.name);
    const scale = multipliers(perTensor(x!, node.name).scale, weights!.quant!, out.scale, outC);
    const [min, max] = clampRange(activation, output!, node.name);
    const sums = Int32Array.from({ length: batch * outH * outW * outC }, (_, i) =>
      bias ? (bias.data[i % outC] as number) : 0,
    );
    // Every input pixel is spread over the outputs that its taps reach.
    for (let pixel = 0; pixel < batch * inH * inW; pixel++) {
      const b = Math.floor(pixel / (inH * inW));
      const top = (Math.floor(pixel / inW) % inH) * strideH - padding.top;
      const left = (pixel % inW) * strideW - padding.left;
      for (let ky = Math.max(0, -top); ky < Math.min(kernelH, outH - top); ky++) {
        for (let kx = Math.max(0, -left); kx < Math.min(kernelW, outW - left); kx++) {
          for (let n = 0; n < outC; n++) {
            let sum = 0;
            for (let c = 0; c < inC; c++) {
              sum += (input[pixel * inC + c]! - inZero) * w[((n * kernelH + ky) * kernelW + kx) * inC + c]!;
            }
            sums[((b * outH + top + ky) * outW + left + kx) * outC + n]! += sum;
          }
        }
      }
    }
    return [Int8Array.from(sums, (sum, i) => requantize(sum, scale[i % outC]!, out.zeroPoint, min, max))];
  },

  lower(node, lowering) {
    const [x, weights] = [lowering.tensor(node.inputs[0]!), lowering.tensor(node.inputs[1]!)];
    const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
    const output = lowering.tensor(node.outputs[0]!);
    const [outC, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
    const { strideH, strideW, padding, outW } = node.attrs;
    const { bytes, wide } = phaseBlocks(node, x, weights, bias, output);
    // As in the core: the rows one output row needs, from the first cell that any output reaches.
    const held = Math.ceil(kernelH / strideH);
    const before = Math.max(0, Math.ceil(kernelW / strideW) - 1 - Math.floor(padding.left / strideW));
    const pixels = before + Math.floor((outW - 1 + padding.left) / strideW) + 1;
    lowering.emit({
      op: Op.TransposedConv2d,
      kernel: wide ? ConvKernel.Int8Wide : ConvKernel.Int8,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(bytes),
      scratchBytes: held * (align16(pixels * inC * 2 + 16) + 4) + (Math.floor(outW / strideW) + 1) * outC,
      fields: convFields(x, output, node.attrs, { kernelH, kernelW, dilationH: 1, dilationW: 1 }, node.name),
      kernelName: `${strideH * strideW} phases, gemm 4×8 ${wide ? "s8×s16" : "s8"}`,
      macs: (elementCount(x.shape) / inC) * weights.data!.length,
    });
  },
};
