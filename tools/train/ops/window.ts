// Sliding windows over NHWC pictures: sizes, padding, and the plain loop that references share.
// Invariant: "same" pads as TensorFlow does (the odd cell at the end), "valid" not at all; a number pads all sides,
// four numbers each its own.

import { ToolError } from "../../errors.ts";
import type { Padding } from "../../graph/graph.ts";

export type PaddingOption = "same" | "valid" | number | Padding;

export interface WindowOptions {
  readonly stride?: number;
  readonly padding?: PaddingOption;
  readonly dilation?: number;
}

export interface WindowSize {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padTop: number;
  readonly padBottom: number;
  readonly padLeft: number;
  readonly padRight: number;
}

type Side = readonly [before: number, after: number];

function along(size: number, kernel: number, stride: number, padding: "same" | Side): readonly [out: number, ...Side] {
  if (padding === "same") {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + kernel - size);
    return [out, total >> 1, total - (total >> 1)];
  }
  const [before, after] = padding;
  return [Math.floor((size + before + after - kernel) / stride) + 1, before, after];
}

function sides(padding: PaddingOption): readonly [rows: "same" | Side, columns: "same" | Side] {
  if (padding === "same") return ["same", "same"];
  if (typeof padding === "object")
    return [
      [padding.top, padding.bottom],
      [padding.left, padding.right],
    ];
  const all: Side = padding === "valid" ? [0, 0] : [padding, padding];
  return [all, all];
}

/** Throws BAD_GRAPH where the shape is no picture or the window does not fit. */
export function windowSize(
  op: string,
  shape: readonly number[],
  kernelH: number,
  kernelW: number,
  options: WindowOptions,
): WindowSize {
  const { stride = 1, padding = "valid", dilation = 1 } = options;
  if (shape.length !== 4) {
    throw new ToolError("BAD_GRAPH", `${op}: needs pictures [batch, height, width, channels] but got [${shape}].`);
  }
  const [batch, inH, inW, inC] = shape as [number, number, number, number];
  const [rows, columns] = sides(padding);
  const [outH, padTop, padBottom] = along(inH, (kernelH - 1) * dilation + 1, stride, rows);
  const [outW, padLeft, padRight] = along(inW, (kernelW - 1) * dilation + 1, stride, columns);
  if (outH < 1 || outW < 1) {
    throw new ToolError(
      "BAD_GRAPH",
      `${op}: a window of ${kernelH} × ${kernelW} does not fit into [${shape}]; pad it or make it smaller.`,
    );
  }
  return { batch, inH, inW, inC, outH, outW, kernelH, kernelW, stride, dilation, padTop, padBottom, padLeft, padRight };
}

/** Calls `visit` for every output pixel and every cell of its window that lies inside the picture. */
export function eachCell(size: WindowSize, visit: (outPixel: number, inPixel: number, tap: number) => void): void {
  const { batch, inH, inW, outH, outW, kernelH, kernelW, stride, dilation, padTop, padLeft } = size;
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        for (let tap = 0; tap < kernelH * kernelW; tap++) {
          const iy = oy * stride - padTop + Math.floor(tap / kernelW) * dilation;
          const ix = ox * stride - padLeft + (tap % kernelW) * dilation;
          if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
          visit((b * outH + oy) * outW + ox, (b * inH + iy) * inW + ix, tap);
        }
      }
    }
  }
}
