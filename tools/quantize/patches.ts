// The cells of a layer's input that each of its outputs sees.
// Invariant: cells outside the picture are left out: they are the real value 0.

import type { Tensor } from "../graph/graph.ts";
import type { Layer } from "./layers.ts";

export interface Patches {
  /** places of the output: rows of a fullyConnected, cells of a convolution */
  readonly count: number;
  /** cells of a patch: as many as an output has weights; of a depthwise layer, those of all its channels */
  readonly size: number;
  /** calls `see` for every cell of the patch `index` that lies inside: its place in the patch, and in the input */
  visit(index: number, see: (cell: number, place: number) => void): void;
}

/** `x` and `y`: the layer's input and output. The patch of a depthwise layer is [taps, input channels]. */
export function patchesOf(node: Layer, x: Tensor, weights: Tensor, y: Tensor): Patches {
  if (node.op === "fullyConnected") {
    const size = weights.shape[1]!;
    const count = x.shape.reduce((product, one) => product * one, 1) / size;
    return {
      count,
      size,
      visit: (index, see) => {
        for (let k = 0; k < size; k++) see(k, index * size + k);
      },
    };
  }
  const { strideH, strideW, dilationH, dilationW, padding } = node.attrs;
  const [batch, inH, inW, inC] = x.shape as [number, number, number, number];
  const [, outH, outW] = y.shape as [number, number, number, number];
  const [, kernelH, kernelW] = weights.shape as [number, number, number, number];
  return {
    count: batch * outH * outW,
    size: kernelH * kernelW * inC,
    visit: (index, see) => {
      const [n, cell] = [Math.floor(index / (outH * outW)), index % (outH * outW)];
      const [top, left] = [
        Math.floor(cell / outW) * strideH - padding.top,
        (cell % outW) * strideW - padding.left,
      ] as const;
      for (let h = 0; h < kernelH; h++) {
        const row = top + h * dilationH;
        if (row < 0 || row >= inH) continue;
        for (let w = 0; w < kernelW; w++) {
          const column = left + w * dilationW;
          if (column < 0 || column >= inW) continue;
          const from = ((n * inH + row) * inW + column) * inC;
          const to = (h * kernelW + w) * inC;
          for (let c = 0; c < inC; c++) see(to + c, from + c);
        }
      }
    },
  };
}
