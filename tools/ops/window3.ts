// Windows over depth, height and width, channels last: what floatConv and floatPool share.
// Invariant: `forTaps` visits the taps of an output cell in the order in which the core adds them.

import { FloatConv } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import type { Tensor, Triple, Window3 } from "../graph/graph.ts";

export const AXES3 = [0, 1, 2] as const;

/** The spatial sizes of [N, …, C] with one to three axes between; axes that are not there have size 1. */
export function spatial(shape: readonly number[]): Triple {
  const sizes = [1, 1, ...shape.slice(1, -1)].slice(-3);
  return [sizes[0]!, sizes[1]!, sizes[2]!];
}

/** [N, …, C] with the spatial axes of `out` that `like` has. */
export function spatialShape(like: readonly number[], out: Triple, channels: number): number[] {
  return [like[0]!, ...out.slice(5 - like.length), channels];
}

/** Cells of the output along each axis. */
export function windowOut(input: Triple, kernel: Triple, window: Window3): Triple {
  const along = (axis: 0 | 1 | 2): number =>
    Math.floor(
      (input[axis] + window.pad[axis] + window.padAfter[axis] - ((kernel[axis] - 1) * window.dilation[axis] + 1)) /
        window.stride[axis],
    ) + 1;
  return [along(0), along(1), along(2)];
}

export function requireWindow3(x: Tensor, kernel: Triple, out: Triple, window: Window3, node: string): void {
  const whole = (values: Triple, least: number): boolean =>
    values.every((value) => Number.isInteger(value) && value >= least);
  const sizes = whole(window.stride, 1) && whole(window.dilation, 1) && whole(kernel, 1);
  if (
    x.shape.length < 3 ||
    x.shape.length > 5 ||
    x.dtype !== "float32" ||
    !sizes ||
    !whole(window.pad, 0) ||
    !whole(window.padAfter, 0) ||
    !whole(out, 1)
  ) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: a window [${kernel}] with strides [${window.stride}], dilations [${window.dilation}] and padding [${window.pad}], [${window.padAfter}] gives [${out}] of ${x.dtype} [${x.shape}]; float32 [N, 1 to 3 spatial axes, C] and sizes of 1 or more are needed.`,
    );
  }
}

/** Calls `visit` with each tap and the input cell that it reads (its index among D·H·W), or −1 and the cell's place for padding. */
export function forTaps(
  input: Triple,
  kernel: Triple,
  { stride, dilation, pad }: Window3,
  out: Triple,
  visit: (tap: number, cell: number, place: Triple) => void,
): void {
  let tap = 0;
  for (let tz = 0; tz < kernel[0]; tz++) {
    for (let ty = 0; ty < kernel[1]; ty++) {
      for (let tx = 0; tx < kernel[2]; tx++) {
        const z = out[0] * stride[0] + tz * dilation[0] - pad[0];
        const y = out[1] * stride[1] + ty * dilation[1] - pad[1];
        const x = out[2] * stride[2] + tx * dilation[2] - pad[2];
        const inside = z >= 0 && y >= 0 && x >= 0 && z < input[0] && y < input[1] && x < input[2];
        visit(tap++, inside ? (z * input[1] + y) * input[2] + x : -1, [z, y, x]);
      }
    }
  }
}

/** Calls `visit` with the batch and the place of every output cell, in order. */
export function forCells(batch: number, out: Triple, visit: (batch: number, place: Triple) => void): void {
  for (let b = 0; b < batch; b++) {
    for (let z = 0; z < out[0]; z++) {
      for (let y = 0; y < out[1]; y++) for (let x = 0; x < out[2]; x++) visit(b, [z, y, x]);
    }
  }
}

export function window3Fields(x: Tensor, kernel: Triple, out: Triple, window: Window3): [number, number][] {
  const three = (first: number, values: Triple): [number, number][] =>
    AXES3.map((axis) => [first + axis, values[axis]]);
  return [
    [FloatConv.Batch, x.shape[0]!],
    ...three(FloatConv.In0, spatial(x.shape)),
    [FloatConv.InC, x.shape.at(-1)!],
    ...three(FloatConv.Out0, out),
    ...three(FloatConv.Kernel0, kernel),
    ...three(FloatConv.Stride0, window.stride),
    ...three(FloatConv.Dilation0, window.dilation),
    ...three(FloatConv.Pad0, window.pad),
  ];
}
