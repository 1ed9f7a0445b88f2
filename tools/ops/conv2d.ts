// conv2d: out[b, oy, ox, n] = requantize(bias[n] + Σ (x[b, y, x, c] − zx) · (w[n, ky, kx, c] − zw)).
// Cells outside the picture count as real zero.

import { Conv, ConvKernel, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import { align16 } from "../pack/align.ts";
import { gemmBlocks, type Products } from "../pack/blocks.ts";
import { int8Kernel, kernelTypes, withStrips } from "../pack/relaxed.ts";
import { wideRoom } from "../pack/room.ts";
import { sparseBlocks, sparseRowsScratch, widenedScratch } from "../pack/sparse.ts";
import { chooseSparse } from "../pack/sparseChoice.ts";
import { winogradBand, winogradBytes, winogradFits, winogradScratch, winogradWaste } from "../pack/winograd.ts";
import { groupsIn, refuseGroups, requantizeGroups, requireGroupsFit } from "./coding.ts";
import { checkConv2d16, conv2d16Reference, lowerConv2d16 } from "./conv2d16.ts";
import { codedAs, fewBitsRows, fewBitsStep, widenedBytes } from "./fewBits.ts";
import type { Operator } from "./operator.ts";
import { clampRange, multipliers, perTensor } from "./quantization.ts";
import {
  convFields,
  type Geometry,
  present,
  requireDType,
  requireRank,
  requireWeights,
  rowPixels,
  rowsHeld,
  windowSize,
} from "./window.ts";

function geometryOf(node: Node<"conv2d">, weights: Tensor): Geometry {
  return {
    kernelH: weights.shape[1]!,
    kernelW: weights.shape[2]!,
    dilationH: node.attrs.dilationH,
    dilationW: node.attrs.dilationW,
  };
}

/** Weights less their zero point, [outputs × rest] in the tensor's own order. */
export function centredWeights(weights: Tensor): Int16Array {
  const zeroPoints = weights.quant!.zeroPoint;
  const { groupOf, groups } = groupsIn(weights);
  const each = groupOf.length;
  return Int16Array.from(
    weights.data as Int8Array,
    (w, i) => w - zeroPoints[zeroPoints.length === 1 ? 0 : Math.floor(i / each) * groups + groupOf[i % each]!]!,
  );
}

export const conv2d: Operator<"conv2d"> = {
  name: "conv2d",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    requireDType(x, ["int8", "int16"], node.name);
    requireRank(x, 4, node.name);
    requireRank(weights, 4, node.name);
    requireWeights(weights, inputs[2], weights.shape[0]!, node.name);
    if (weights.shape[3] !== x.shape[3]) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: weights take ${weights.shape[3]} input channels but the input has ${x.shape[3]}; grouped convolution is not supported, split it into one convolution a group.`,
      );
    }
    requireGroupsFit(
      weights,
      node.name,
      isPointwise(node, x, outputs[0]!, geometryOf(node, weights)),
      node.attrs.dilationW,
    );
    perTensor(x, node.name);
    perTensor(outputs[0]!, node.name);
    if (x.dtype === "int16") {
      refuseGroups(weights, node.name);
      checkConv2d16(node, x, weights, inputs[2], outputs[0]!);
    }
    const [height, width] = windowSize(x, node.attrs, geometryOf(node, weights), node.name);
    return [{ shape: [x.shape[0]!, height, width, weights.shape[0]!], dtype: x.dtype }];
  },

  reference(node, [x, weights, bias], [output]) {
    if (x!.dtype === "int16") return [conv2d16Reference(node, x!, weights!, bias, output!)];
    const input = x!.data as Int8Array;
    const [, inH, inW, inC] = x!.shape as [number, number, number, number];
    const [batch, outH, outW, outC] = output!.shape as [number, number, number, number];
    const { kernelH, kernelW, dilationH, dilationW } = geometryOf(node, weights!);
    const { strideH, strideW, padding, activation } = node.attrs;
    const w = centredWeights(weights!);
    const inZero = perTensor(x!, node.name).zeroPoint;
    const out = perTensor(output!, node.name);
    const { groupOf, groups } = groupsIn(weights!);
    const scale = multipliers(perTensor(x!, node.name).scale, weights!.quant!, out.scale, outC * groups);
    const sums = new Float64Array(groups);
    const [min, max] = clampRange(activation, output!, node.name);
    const result = new Int8Array(batch * outH * outW * outC);
    let at = 0;
    for (let b = 0; b < batch; b++) {
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          for (let n = 0; n < outC; n++) {
            sums.fill(0);
            sums[0] = bias ? (bias.data[n] as number) : 0;
            for (let ky = 0; ky < kernelH; ky++) {
              const y = oy * strideH - padding.top + ky * dilationH;
              if (y < 0 || y >= inH) continue;
              for (let kx = 0; kx < kernelW; kx++) {
                const column = ox * strideW - padding.left + kx * dilationW;
                if (column < 0 || column >= inW) continue;
                const from = ((b * inH + y) * inW + column) * inC;
                const cell = (ky * kernelW + kx) * inC;
                const weight = n * groupOf.length + cell;
                for (let c = 0; c < inC; c++) {
                  sums[groupOf[cell + c]!]! += (input[from + c]! - inZero) * w[weight + c]!;
                }
              }
            }
            const own = scale.subarray(n * groups, (n + 1) * groups);
            result[at++] = requantizeGroups(sums, own, out.zeroPoint, min, max);
          }
        }
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    if (x.dtype === "int16") {
      lowerConv2d16(node, lowering);
      return;
    }
    const weights = lowering.tensor(node.inputs[1]!);
    const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
    const output = lowering.tensor(node.outputs[0]!);
    const geometry = geometryOf(node, weights);
    const [outC, kernelH, kernelW, inC] = weights.shape as [number, number, number, number];
    const dilated = geometry.dilationW > 1;
    const products: Products = {
      weights: centredWeights(weights),
      outputs: outC,
      segments: dilated ? kernelH * kernelW : kernelH,
      cells: dilated ? inC : kernelW * inC,
      inputZero: perTensor(x, node.name).zeroPoint,
      bias: bias?.data as Int32Array | undefined,
      multipliers: multipliers(
        perTensor(x, node.name).scale,
        weights.quant!,
        perTensor(output, node.name).scale,
        outC * groupsIn(weights).groups,
      ),
    };
    const pointwise = isPointwise(node, x, output, geometry);
    const pixels = rowPixels(output, node.attrs, geometry);
    const macs = output.shape[0]! * output.shape[1]! * output.shape[2]! * products.weights.length;
    const slot = align16(pixels * inC * 2 + 16);
    const start = (s: number): number =>
      dilated
        ? Math.floor(s / kernelW) * geometry.dilationH * (slot / 2) + (s % kernelW) * geometry.dilationW * inC
        : s * geometry.dilationH * (slot / 2);
    const winograd = winogradFits(products, node.attrs, geometry, output) && lowering.mayUseMemory(node);
    const line = pointwise ? macs / products.weights.length : output.shape[2]!;
    const kernel = int8Kernel(products, line);
    const few = codedAs(weights, products, pointwise || inC % 4 === 0);
    const never = kernel === ConvKernel.Int8Wide || (few && few.kernel !== ConvKernel.Int4);
    const layer = { line, winograd: winograd ? winogradWaste(output) : undefined, int4: few !== undefined };
    const sparse = chooseSparse(products, start, layer, never ? "never" : lowering.sparsity);
    if (sparse.groups) {
      lowering.emit({
        op: Op.Conv2d,
        kernel: sparse.nibbles ? ConvKernel.SparseNibbles : ConvKernel.Sparse,
        input: lowering.at(node.inputs[0]!),
        output: lowering.at(node.outputs[0]!),
        params: lowering.params(sparseBlocks(products, sparse.groups, start, sparse.nibbles, node.name)),
        scratchBytes:
          widenedScratch(sparse.groups, sparse.nibbles) +
          (pointwise ? sparseRowsScratch(inC) : 2 * rowsHeld(geometry) * slot),
        fields: convFields(x, output, node.attrs, geometry, node.name),
        kernelName: `${pointwise ? "pointwise" : "rows"} sparse ${sparse.nibbles ? "s4" : "s8"}: ${sparse.why}`,
        macs,
      });
      return;
    }
    if (few) {
      const step = fewBitsStep(weights, few, products, node.name);
      const rows = pointwise ? fewBitsRows(inC) : rowsHeld(geometry) * slot + products.segments * 4;
      const direct = rows + 4 + step.roomBytes;
      const widened = lowering.mayUseMemory(node) ? widenedBytes(products, few, macs / products.weights.length) : 0;
      lowering.emit({
        op: Op.Conv2d,
        kernel: step.kernel,
        input: lowering.at(node.inputs[0]!),
        output: lowering.at(node.outputs[0]!),
        params: lowering.params(step.params),
        scratchBytes: align16(direct) + widened,
        spareBytes: widened,
        fields: [...convFields(x, output, node.attrs, geometry, node.name), [Conv.GroupSize, step.groupSize]],
        kernelName: `${pointwise ? "pointwise" : "rows"} gemm ${step.name}${sparse.why && `: ${sparse.why}`}`,
        macs,
      });
      return;
    }
    const dense = sparse.why && `: ${sparse.why}`;
    if (winograd) {
      const band = winogradBand(output);
      lowering.emit({
        op: Op.Conv2d,
        kernel: ConvKernel.Winograd,
        input: lowering.at(node.inputs[0]!),
        input2: lowering.resident(winogradBytes(outC, inC)),
        spareBytes: winogradBytes(outC, inC),
        output: lowering.at(node.outputs[0]!),
        params: lowering.params(gemmBlocks(products, false, node.name)),
        scratchBytes: winogradScratch(output, inC),
        fields: [...convFields(x, output, node.attrs, geometry, node.name), [Conv.Band, band]],
        kernelName: `winograd 4×4 s16${dense}`,
        macs,
      });
      return;
    }
    const scratchBytes = pointwise ? pointwiseScratch(inC) : rowsScratch(products, rowsHeld(geometry) * slot);
    lowering.emit({
      op: Op.Conv2d,
      kernel,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(gemmBlocks(products, kernel === ConvKernel.Int8Wide, node.name)),
      scratchBytes: withStrips(products, kernel, scratchBytes),
      roomBytes: kernel === ConvKernel.Int8Wide ? 0 : wideRoom(products, scratchBytes, macs / products.weights.length),
      fields: convFields(x, output, node.attrs, geometry, node.name),
      kernelName: `${pointwise ? "pointwise" : gathers(products) ? "patches" : "rows"} gemm 4×8 ${kernelTypes(kernel)}${dense}`,
      macs,
    });
  },
};

/** Segments this short are gathered into patches; equals MOST_GATHERED in assembly/ops/conv2d.ts. */
function gathers({ cells }: Products): boolean {
  return cells <= 8;
}

/** The row ring, the segments' addresses, and four patches where segments are short. */
function rowsScratch(products: Products, ringBytes: number): number {
  const bytes = ringBytes + products.segments * 4;
  const patch = align16(products.segments * Math.ceil(products.cells / 2) * 4 + 16);
  return gathers(products) ? bytes + 16 + 4 * patch : bytes;
}

/** Four widened rows and the address of the one segment. */
export function pointwiseScratch(inputs: number): number {
  return Math.ceil(inputs / 8) * 64 + 16;
}

function isPointwise(node: Node<"conv2d">, x: Tensor, output: Tensor, geometry: Geometry): boolean {
  const { strideH, strideW, padding } = node.attrs;
  return (
    geometry.kernelH === 1 &&
    geometry.kernelW === 1 &&
    strideH === 1 &&
    strideW === 1 &&
    padding.top === 0 &&
    padding.left === 0 &&
    x.shape[1] === output.shape[1] &&
    x.shape[2] === output.shape[2]
  );
}
