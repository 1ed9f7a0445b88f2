// depthwiseConv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ (x[b, y, x, n / multiplier] − zx) · (w[ky, kx, n] − zw)).
// Cells outside the picture count as real zero.

import { Conv, ConvKernel, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import type { Node, Tensor, Window } from "../graph/graph.ts";
import { depthwiseBlocks, type Products, planeCount } from "../pack/blocks.ts";
import { refuseGroups } from "./coding.ts";
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

function geometryOf(node: Node<"depthwiseConv2d">, weights: Tensor): Geometry {
  return {
    kernelH: weights.shape[1]!,
    kernelW: weights.shape[2]!,
    dilationH: node.attrs.dilationH,
    dilationW: node.attrs.dilationW,
  };
}

/** [channels][taps], zero point subtracted. */
function weightsByChannel(weights: Tensor): Int16Array {
  const [, kernelH, kernelW, channels] = weights.shape as [number, number, number, number];
  const taps = kernelH * kernelW;
  const zeroPoints = weights.quant!.zeroPoint;
  const result = new Int16Array(channels * taps);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < channels; c++) {
      result[c * taps + t] = (weights.data![t * channels + c] as number) - zeroPoints[zeroPoints.length === 1 ? 0 : c]!;
    }
  }
  return result;
}

export const depthwiseConv2d: Operator<"depthwiseConv2d"> = {
  name: "depthwiseConv2d",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    requireDType(x, ["int8"], node.name);
    requireRank(x, 4, node.name);
    requireRank(weights, 4, node.name);
    refuseGroups(weights, node.name);
    requireWeights(weights, inputs[2], weights.shape[3]!, node.name);
    if (weights.shape[0] !== 1 || weights.shape[3] !== x.shape[3]! * node.attrs.multiplier) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: weights [${weights.shape}] do not fit ${x.shape[3]} input channels times multiplier ${node.attrs.multiplier}; expected [1, kernelH, kernelW, ${x.shape[3]! * node.attrs.multiplier}].`,
      );
    }
    perTensor(x, node.name);
    perTensor(outputs[0]!, node.name);
    const [height, width] = windowSize(x, node.attrs, geometryOf(node, weights), node.name);
    return [{ shape: [x.shape[0]!, height, width, weights.shape[3]!], dtype: x.dtype }];
  },

  reference(node, [x, weights, bias], [output]) {
    const input = x!.data as Int8Array;
    const [, inH, inW, inC] = x!.shape as [number, number, number, number];
    const [batch, outH, outW, outC] = output!.shape as [number, number, number, number];
    const { kernelH, kernelW, dilationH, dilationW } = geometryOf(node, weights!);
    const { strideH, strideW, padding, activation, multiplier } = node.attrs;
    const w = weightsByChannel(weights!);
    const inZero = perTensor(x!, node.name).zeroPoint;
    const out = perTensor(output!, node.name);
    const scale = multipliers(perTensor(x!, node.name).scale, weights!.quant!, out.scale, outC);
    const [min, max] = clampRange(activation, output!, node.name);
    const result = new Int8Array(batch * outH * outW * outC);
    let at = 0;
    for (let b = 0; b < batch; b++) {
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          for (let n = 0; n < outC; n++) {
            let acc = bias ? (bias.data[n] as number) : 0;
            for (let tap = 0; tap < kernelH * kernelW; tap++) {
              const y = oy * strideH - padding.top + Math.floor(tap / kernelW) * dilationH;
              const column = ox * strideW - padding.left + (tap % kernelW) * dilationW;
              if (y < 0 || y >= inH || column < 0 || column >= inW) continue;
              const value = input[((b * inH + y) * inW + column) * inC + Math.floor(n / multiplier)]!;
              acc += (value - inZero) * w[n * kernelH * kernelW + tap]!;
            }
            result[at++] = requantize(acc, scale[n]!, out.zeroPoint, min, max);
          }
        }
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const weights = lowering.tensor(node.inputs[1]!);
    const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
    const {
      x,
      output,
      window,
      geometry,
      weights: turnedWeights,
      turned,
    } = alongRows(node, lowering.tensor(node.inputs[0]!), lowering.tensor(node.outputs[0]!), weights);
    const channels = weights.shape[3]!;
    const { kernelH, kernelW, dilationH } = geometry;
    const products: Products = {
      weights: turnedWeights,
      outputs: channels,
      segments: 1,
      cells: kernelH * kernelW,
      inputZero: perTensor(x, node.name).zeroPoint,
      bias: bias?.data as Int32Array | undefined,
      multipliers: multipliers(
        perTensor(x, node.name).scale,
        weights.quant!,
        perTensor(output, node.name).scale,
        channels,
      ),
    };
    const pairs = { kernelH, kernelW, startsOdd: kernelH > 1 && dilationH === 1 && window.strideH % 2 === 1 };
    lowering.emit({
      op: Op.DepthwiseConv2d,
      kernel: ConvKernel.Int8,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(depthwiseBlocks(products, pairs, node.name)),
      scratchBytes: planeCount(pairs) * rowPixels(output, window, geometry) * 32 + 16,
      fields: [...convFields(x, output, window, geometry, node.name), [Conv.Turned, turned]],
      kernelName: kernelH === 1 ? "column pairs 4×8 s8" : "row pairs 4×8 s8",
      macs: output.shape[0]! * output.shape[1]! * output.shape[2]! * channels * kernelH * kernelW,
    });
  },
};

/** Runs of the inner loop: tiles of four pixels, but a fifth or ninth pixel, and those of narrower rows, each alone. */
function tilesOf(rows: number, width: number): number {
  return rows * (width < 4 ? width : Math.ceil(width / 4));
}

/** The node as the core runs it: turned on its side where its rows then hold fewer tiles. */
function alongRows(node: Node<"depthwiseConv2d">, x: Tensor, output: Tensor, weights: Tensor) {
  const { attrs } = node;
  const geometry = geometryOf(node, weights);
  const [, height, width] = output.shape as [number, number, number];
  const byChannel = weightsByChannel(weights);
  if (tilesOf(width, height) > 0.85 * tilesOf(height, width)) {
    return { x, output, window: attrs as Window, geometry, weights: byChannel, turned: 0 };
  }
  const turn = (tensor: Tensor): Tensor => {
    const [batch, rows, columns, channels] = tensor.shape as [number, number, number, number];
    return { ...tensor, shape: [batch, columns, rows, channels] };
  };
  const { top, bottom, left, right } = attrs.padding;
  const window: Window = {
    strideH: attrs.strideW,
    strideW: attrs.strideH,
    padding: { top: left, bottom: right, left: top, right: bottom },
    activation: attrs.activation,
  };
  const { kernelH, kernelW, dilationH, dilationW } = geometry;
  const taps = kernelH * kernelW;
  return {
    x: turn(x),
    output: turn(output),
    window,
    geometry: { kernelH: kernelW, kernelW: kernelH, dilationH: dilationW, dilationW: dilationH },
    weights: byChannel.map((_, i) => {
      const tap = i % taps;
      return byChannel[i - tap + (tap % kernelH) * kernelW + Math.floor(tap / kernelH)]!;
    }),
    turned: 1,
  };
}
