// resizeNearest: out[b, y, x, c] = in[b, source(y), source(x), c], the source index by TFLite's rule in
// float32: floor((i + ½?) · in / out), or rounded with aligned corners.

import { Op, Resize } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { type Attributes, DTYPE_BYTES, elementCount, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { moveBox, requireSameQuantization } from "./stridedCopy.ts";
import { present, requireDType, requireRank } from "./window.ts";

type Options = Attributes["resizeNearest"] | Attributes["resizeBilinear"];

/** Shared by both resizes. */
export function checkResize(node: string, x: Tensor, output: Tensor, options: Options): number[] {
  requireRank(x, 4, node);
  const { outH, outW, alignCorners, halfPixelCenters } = options;
  if (!Number.isInteger(outH) || !Number.isInteger(outW) || outH < 1 || outW < 1) {
    throw new ToolError("BAD_GRAPH", `${node}: the new size must be at least 1×1 but is ${outH}×${outW}.`);
  }
  if (alignCorners && halfPixelCenters) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: corners cannot be aligned with half-pixel centres; choose one of the two.`,
    );
  }
  requireSameQuantization(x, output, node);
  return [x.shape[0]!, outH, outW, x.shape[3]!];
}

/** For every output index along one axis, the input index it is taken from. */
export function nearestIndices(inSize: number, outSize: number, options: Options): Int32Array {
  const { alignCorners, halfPixelCenters } = options;
  const aligned = alignCorners && outSize > 1;
  const scale = aligned ? Math.fround((inSize - 1) / (outSize - 1)) : Math.fround(inSize / outSize);
  return Int32Array.from({ length: outSize }, (_, i) => {
    const at = Math.fround((i + (halfPixelCenters ? 0.5 : 0)) * scale);
    const index = alignCorners ? Math.floor(at + 0.5) : Math.floor(at);
    return Math.max(0, Math.min(index, inSize - 1));
  });
}

export function resizeFields(
  x: Tensor,
  bytesPerElement: number,
  { outH, outW }: Options,
): (readonly [number, number])[] {
  const [batch, inH, inW, channels] = x.shape as [number, number, number, number];
  return [
    [Resize.Batch, batch],
    [Resize.InH, inH],
    [Resize.InW, inW],
    [Resize.Channels, channels * bytesPerElement],
    [Resize.OutH, outH],
    [Resize.OutW, outW],
  ];
}

export const resizeNearest: Operator<"resizeNearest"> = {
  name: "resizeNearest",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["int8", "uint8", "int16", "float32"], node.name);
    return [{ shape: checkResize(node.name, x, outputs[0]!, node.attrs), dtype: x.dtype }];
  },

  reference(node, [x], [output]) {
    const [batch, inH, inW, channels] = x!.shape as [number, number, number, number];
    const { outH, outW } = node.attrs;
    const rows = nearestIndices(inH, outH, node.attrs);
    const columns = nearestIndices(inW, outW, node.attrs);
    const out = zeros(x!.dtype, elementCount(output!.shape));
    for (let b = 0; b < batch; b++) {
      for (let y = 0; y < outH; y++) {
        for (let column = 0; column < outW; column++) {
          const inOffset = ((b * inH + rows[y]!) * inW + columns[column]!) * channels;
          const outOffset = ((b * outH + y) * outW + column) * channels;
          moveBox({ dims: [channels], inStrides: [1], inOffset, outStrides: [1], outOffset }, x!.data, out);
        }
      }
    }
    return [out];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { outH, outW } = node.attrs;
    const indices = new Int32Array(outH + outW);
    indices.set(nearestIndices(x.shape[1]!, outH, node.attrs));
    indices.set(nearestIndices(x.shape[2]!, outW, node.attrs), outH);
    lowering.emit({
      op: Op.ResizeNearest,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(new Uint8Array(indices.buffer)),
      fields: resizeFields(x, DTYPE_BYTES[x.dtype], node.attrs),
      kernelName: "pixels by index",
    });
  },
};
