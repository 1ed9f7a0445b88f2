// batchMatmul: out[…, m, n] = requantize(Σk (a[…, m, k] − za) · (b[…, k, n] − zb)), int8 activations on
// both sides; leading axes broadcast as in NumPy.

import { BatchMatmul, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import { pointwiseScratch } from "./conv2d.ts";
import type { Lowering, Operator, Ref } from "./operator.ts";
import { clampRange, multipliers, perTensor, requantize } from "./quantization.ts";
import { emitCopy, stridesOf } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

/** Most products of 255 · 255 whose sum stays below 2^31: assembly/ops/batchMatmul.ts. */
const MAX_DEPTH = 33025;
/** One step each is emitted where the leading axes broadcast in a way that one stride cannot say. */
const MAX_STEPS = 256;

/** The product's sizes, its batches and where each batch's matrices start, in elements. */
interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** leading axes: size, and elements from one index to the next of a and of b, 0 where it repeats */
  readonly axes: readonly { readonly dim: number; readonly a: number; readonly b: number }[];
}

function leadingDims(a: Tensor, b: Tensor, node: string): number[] {
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const x = left.at(i - Math.max(left.length, right.length)) ?? 1;
    const y = right.at(i - Math.max(left.length, right.length)) ?? 1;
    if (x === y || x === 1 || y === 1) return Math.max(x, y);
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: the leading axes of [${a.shape}] and [${b.shape}] do not broadcast: ${x} against ${y}; make them equal or 1.`,
    );
  });
}

function productOf(node: Node<"batchMatmul">, a: Tensor, b: Tensor): Product {
  const [rows, columns] = a.shape.slice(-2) as [number, number];
  const { transposeA, transposeB } = node.attrs;
  const dims = leadingDims(a, b, node.name);
  const stridesIn = (tensor: Tensor): number[] => {
    const strides = stridesOf(tensor.shape);
    return dims.map((_, i) => {
      const axis = i - dims.length + tensor.shape.length - 2;
      return axis < 0 || tensor.shape[axis] === 1 ? 0 : strides[axis]!;
    });
  };
  const [ofA, ofB] = [stridesIn(a), stridesIn(b)];
  return {
    m: transposeA ? columns : rows,
    k: transposeA ? rows : columns,
    n: b.shape.at(transposeB ? -2 : -1)!,
    axes: dims.map((dim, i) => ({ dim, a: ofA[i]!, b: ofB[i]! })),
  };
}

/** The offsets of every batch, outermost axis first. */
function batches(axes: Product["axes"]): { a: number; b: number }[] {
  return axes.reduce(
    (starts, axis) =>
      starts.flatMap((start) =>
        Array.from({ length: axis.dim }, (_, i) => ({ a: start.a + i * axis.a, b: start.b + i * axis.b })),
      ),
    [{ a: 0, b: 0 }],
  );
}

/** Leading axes without those of size 1, neighbours merged where one stride says both. */
function merged(axes: Product["axes"]): Product["axes"] {
  const result: { dim: number; a: number; b: number }[] = [];
  for (const axis of axes) {
    if (axis.dim === 1) continue;
    const outer = result.at(-1);
    if (outer && outer.a === axis.a * axis.dim && outer.b === axis.b * axis.dim) {
      result[result.length - 1] = { ...axis, dim: outer.dim * axis.dim };
    } else {
      result.push(axis);
    }
  }
  return result;
}

function scaleOf(a: Tensor, b: Tensor, output: Tensor, node: string): number {
  const right = perTensor(b, node);
  const one = { scale: Float32Array.of(right.scale), zeroPoint: Int32Array.of(right.zeroPoint), axis: 0 };
  return multipliers(perTensor(a, node).scale, one, perTensor(output, node).scale, 1)[0]!;
}

export const batchMatmul: Operator<"batchMatmul"> = {
  name: "batchMatmul",

  check(node, inputs, outputs) {
    const a = present(inputs[0], node.name, "first matrix");
    const b = present(inputs[1], node.name, "second matrix");
    for (const tensor of [a, b, outputs[0]!]) {
      requireDType(tensor, ["int8"], node.name);
      perTensor(tensor, node.name);
      if (tensor.shape.length >= 2) continue;
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: "${tensor.name}" is [${tensor.shape}] but a matrix has two axes or more; reshape it.`,
      );
    }
    const { m, n, k, axes } = productOf(node, a, b);
    const other = b.shape.at(node.attrs.transposeB ? -1 : -2)!;
    if (k !== other) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the inner axes of [${a.shape}] and [${b.shape}] must be equal but are ${k} and ${other}; check the transpositions.`,
      );
    }
    if (k > MAX_DEPTH) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: the inner axis has ${k} elements but at most ${MAX_DEPTH} are supported; split it.`,
      );
    }
    return [{ shape: [...axes.map((axis) => axis.dim), m, n], dtype: "int8" }];
  },

  reference(node, [a, b], [output]) {
    const { m, n, k, axes } = productOf(node, a!, b!);
    const { transposeA, transposeB } = node.attrs;
    const [left, right] = [a!.data as Int8Array, b!.data as Int8Array];
    const [aZero, bZero] = [perTensor(a!, node.name).zeroPoint, perTensor(b!, node.name).zeroPoint];
    const scale = scaleOf(a!, b!, output!, node.name);
    const { zeroPoint } = perTensor(output!, node.name);
    const [min, max] = clampRange("none", output!, node.name);
    const out = new Int8Array(elementCount(output!.shape));
    let to = 0;
    for (const start of batches(axes)) {
      for (let row = 0; row < m; row++) {
        for (let column = 0; column < n; column++) {
          let acc = 0;
          for (let i = 0; i < k; i++) {
            const x = left[start.a + (transposeA ? i * m + row : row * k + i)]!;
            const y = right[start.b + (transposeB ? column * k + i : i * n + column)]!;
            acc += (x - aZero) * (y - bZero);
          }
          out[to++] = requantize(acc, scale, zeroPoint, min, max);
        }
      }
    }
    return [out];
  },

  lower(node, lowering) {
    const [a, b] = [lowering.tensor(node.inputs[0]!), lowering.tensor(node.inputs[1]!)];
    const output = lowering.tensor(node.outputs[0]!);
    const product = productOf(node, a, b);
    const { n, k } = product;
    let { m } = product;
    const axes = [...merged(product.axes)];
    // The last axis is the step's own; where b repeats along it, its rows are more rows of a.
    let inner = axes.pop() ?? { dim: 1, a: 0, b: 0 };
    if (inner.b === 0 && inner.a === m * k) {
      m *= inner.dim;
      inner = { dim: 1, a: 0, b: 0 };
    }
    const starts = batches(axes);
    if (starts.length > MAX_STEPS) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: [${a.shape}] and [${b.shape}] broadcast into ${starts.length} separate products but at most ${MAX_STEPS} are supported; expand one of them first.`,
      );
    }
    const left = node.attrs.transposeA
      ? transposedA(node, lowering)
      : (start: number): Ref => lowering.at(node.inputs[0]!, start);
    const [min, max] = clampRange("none", output, node.name);
    for (const [i, start] of starts.entries()) {
      lowering.emit({
        op: Op.BatchMatmul,
        input: left(start.a),
        input2: lowering.at(node.inputs[1]!, start.b),
        output: lowering.at(node.outputs[0]!, i * inner.dim * m * n),
        scratchBytes: pointwiseScratch(k) + Math.ceil(n / 8) * (64 + Math.ceil(k / 2) * 32) + 96,
        fields: [
          [BatchMatmul.Batch, inner.dim],
          [BatchMatmul.M, m],
          [BatchMatmul.N, n],
          [BatchMatmul.K, k],
          [BatchMatmul.ABatchStride, inner.a],
          [BatchMatmul.BBatchStride, inner.b],
          [BatchMatmul.AZero, perTensor(a, node.name).zeroPoint],
          [BatchMatmul.BZero, perTensor(b, node.name).zeroPoint],
          [BatchMatmul.OutZero, perTensor(output, node.name).zeroPoint],
          [BatchMatmul.Min, min],
          [BatchMatmul.Max, max],
          [BatchMatmul.TransposedB, Number(node.attrs.transposeB)],
        ],
        floats: [[BatchMatmul.Scale, scaleOf(a, b, output, node.name)]],
        kernelName: `gemm 4×8 s8×s16, b packed at run time${node.attrs.transposeB ? " from rows" : ""}`,
        macs: inner.dim * m * n * k,
      });
    }
  },
};

/** Copies a with its last two axes exchanged; gives the place of an element. */
function transposedA(node: Node<"batchMatmul">, lowering: Lowering): (start: number) => Ref {
  const a = lowering.tensor(node.inputs[0]!);
  const temporary = lowering.temporary(elementCount(a.shape)) as Extract<Ref, { kind: "temporary" }>;
  const place = (byteOffset: number): Ref => ({ ...temporary, byteOffset });
  const strides = stridesOf(a.shape);
  const exchange = <T>(list: readonly T[]): T[] => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!];
  const dims = exchange(a.shape);
  const box = { dims, inStrides: exchange(strides), inOffset: 0, outStrides: stridesOf(dims), outOffset: 0 };
  emitCopy(lowering, node.name, node.inputs[0]!, place, box);
  return place;
}
