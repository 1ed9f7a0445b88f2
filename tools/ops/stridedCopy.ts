// What reshape, transpose, stridedSlice, split, concat and pad share: a box of elements moved between
// two strided layouts, in the reference by hand and in the plan by one `copy` step.
// Invariant: axes that lie one after the other in both layouts are merged before a step is emitted,
// so long runs are innermost.

import { Copy, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, type DType, type Tensor, type TensorData, zeros } from "../graph/graph.ts";
import type { Lowering, Ref } from "./operator.ts";

/** Strides and offsets count elements; the offsets are those of index 0. */
export interface Box {
  readonly dims: readonly number[];
  readonly inStrides: readonly number[];
  readonly inOffset: number;
  readonly outStrides: readonly number[];
  readonly outOffset: number;
}

/** A row-major tensor's strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The reference: copies the box's elements from `from` into `to`. */
export function moveBox(box: Box, from: TensorData, to: TensorData): void {
  const visit = (axis: number, i: number, o: number): void => {
    if (axis === box.dims.length) {
      to[o] = from[i]!;
      return;
    }
    for (let n = 0; n < box.dims[axis]!; n++) {
      visit(axis + 1, i + n * box.inStrides[axis]!, o + n * box.outStrides[axis]!);
    }
  };
  visit(0, box.inOffset, box.outOffset);
}

interface Axis {
  readonly dim: number;
  readonly inStride: number;
  readonly outStride: number;
}

/** Drops axes of size 1 and merges those that are contiguous in both layouts. */
function mergedAxes(box: Box): Axis[] {
  const merged: Axis[] = [];
  for (const [axis, dim] of box.dims.entries()) {
    const inStride = box.inStrides[axis]!;
    const outStride = box.outStrides[axis]!;
    if (dim === 1) continue;
    const outer = merged.at(-1);
    if (outer && outer.inStride === inStride * dim && outer.outStride === outStride * dim) {
      merged[merged.length - 1] = { dim: outer.dim * dim, inStride, outStride };
    } else {
      merged.push({ dim, inStride, outStride });
    }
  }
  return merged;
}

/** The elements of a constant's box, in order: a constant is sliced and transposed by the packer, once. */
function gathered(box: Box, data: TensorData, dtype: DType): { bytes: Uint8Array; inStrides: number[] } {
  const inStrides = stridesOf(box.dims);
  const count = box.dims.reduce((product, dim) => product * dim, 1);
  const out = zeros(dtype, count);
  moveBox({ ...box, outStrides: inStrides, outOffset: 0 }, data, out);
  return { bytes: new Uint8Array(out.buffer), inStrides };
}

/** Emits the step that copies `box` of tensor `input` to `output`, whose byte offset counts on top of the box's. */
export function emitCopy(
  lowering: Lowering,
  node: string,
  input: number,
  output: (byteOffset: number) => Ref,
  box: Box,
): void {
  const tensor = lowering.tensor(input);
  if (!tensor.data) {
    const from = lowering.at(input, box.inOffset * DTYPE_BYTES[tensor.dtype]);
    emitBox(lowering, node, from, output, box, tensor.dtype);
  } else {
    const { bytes, inStrides } = gathered(box, tensor.data, tensor.dtype);
    emitBox(lowering, node, lowering.params(bytes), output, { ...box, inStrides, inOffset: 0 }, tensor.dtype);
  }
}

/** The same from any place; `from` already stands at the box's element of index 0. */
export function emitBox(
  lowering: Lowering,
  node: string,
  from: Ref,
  output: (byteOffset: number) => Ref,
  box: Box,
  dtype: DType,
): void {
  // Elements of eight bytes are pairs of four.
  const parts = DTYPE_BYTES[dtype] === 8 ? 2 : 1;
  const elementBytes = DTYPE_BYTES[dtype] / parts;
  const axes = mergedAxes({
    ...box,
    dims: [...box.dims, parts],
    inStrides: [...box.inStrides.map((stride) => stride * parts), 1],
    outStrides: [...box.outStrides.map((stride) => stride * parts), 1],
  });
  if (axes.length > Copy.Rank) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: moving [${box.dims}] takes ${axes.length} separate axes but at most ${Copy.Rank} are supported; split it into two operators.`,
    );
  }
  while (axes.length < Copy.Rank) axes.unshift({ dim: 1, inStride: 0, outStride: 0 });
  const inner = axes.at(-1)!;
  const run = inner.inStride === 1 && inner.outStride === 1;
  lowering.emit({
    op: Op.Copy,
    input: from,
    output: output(box.outOffset * DTYPE_BYTES[dtype]),
    fields: [
      [Copy.ElementBytes, elementBytes],
      ...axes.map((axis, i): [number, number] => [Copy.Dim0 + i, axis.dim]),
      ...axes.map((axis, i): [number, number] => [Copy.InStride0 + i, axis.inStride]),
      ...axes.map((axis, i): [number, number] => [Copy.OutStride0 + i, axis.outStride]),
    ],
    kernelName: run ? `runs of ${inner.dim * elementBytes} bytes` : `strided, ${elementBytes}-byte elements`,
  });
}

/** Operators that only move elements keep the quantization as it is. */
export function requireSameQuantization(input: Tensor, output: Tensor, node: string): void {
  if (!input.quant || !output.quant) return;
  const same =
    equalNumbers(input.quant.scale, output.quant.scale) && equalNumbers(input.quant.zeroPoint, output.quant.zeroPoint);
  if (same) return;
  const text = (tensor: Tensor): string => `scale ${tensor.quant!.scale}, zero point ${tensor.quant!.zeroPoint}`;
  throw new ToolError(
    "BAD_GRAPH",
    `${node}: the output "${output.name}" must have the input's quantization (${text(input)}) but has ${text(output)}; requantize it in an operator of its own.`,
  );
}

function equalNumbers(a: Float32Array | Int32Array, b: Float32Array | Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
