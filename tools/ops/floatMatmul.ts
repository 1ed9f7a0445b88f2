// floatMatmul: out[…, m, n] = clamp(bias[n] + Σk a[…, m, k] · b[…, k, n]) in float32, every product and sum rounded,
// in the order of k; or in int32, which wraps, without a clamp. Leading axes broadcast.

import { Op } from "../../assembly/abi.ts";
import { FloatMatmul, MatmulKernel } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import { broadcastAxes, broadcastShape } from "./broadcast.ts";
import { dot, floatBlocks, requireConstant } from "./floatProducts.ts";
import type { Lowering, Operator } from "./operator.ts";
import { present, requireDType } from "./window.ts";

interface Products {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly shape: readonly number[];
  /** leading axes, merged where both inputs allow it; strides in elements of a and b */
  readonly batches: readonly { readonly size: number; readonly aStride: number; readonly bStride: number }[];
}

function productsOf(node: Node<"floatMatmul">, a: Tensor, b: Tensor): Products {
  const { transposeB } = node.attrs;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node.name}: multiplies [${a.shape}] by [${b.shape}]; both need two axes or more.`,
    );
  }
  const [m, k] = a.shape.slice(-2) as [number, number];
  const [rows, columns] = b.shape.slice(-2) as [number, number];
  const n = transposeB ? rows : columns;
  if ((transposeB ? columns : rows) !== k) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node.name}: [${a.shape}] and [${b.shape}] do not share their inner size; check the shapes.`,
    );
  }
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lead = broadcastShape(leadA, leadB, node.name);
  // With one b for all, the rows of every batch are rows of one product.
  if (elementCount(leadB) === 1) {
    const rowsInAll = elementCount(leadA) * m;
    return { m: rowsInAll, n, k, shape: [...lead, m, n], batches: [] };
  }
  const batches: { size: number; aStride: number; bStride: number }[] = [];
  for (const { size, aStride, bStride } of broadcastAxes(leadA, leadB, lead)) {
    if (size === 1) continue;
    const axis = { size, aStride: aStride * m * k, bStride: bStride * k * n };
    const outer = batches.at(-1);
    if (outer && outer.aStride === axis.aStride * size && outer.bStride === axis.bStride * size) {
      batches[batches.length - 1] = { ...axis, size: outer.size * size };
    } else batches.push(axis);
  }
  return { m, n, k, shape: [...lead, m, n], batches };
}

/** Calls `visit` for each batch with its number and the elements before it in a and in b. */
function forBatches(batches: Products["batches"], visit: (index: number, a: number, b: number) => void): void {
  const count = batches.reduce((product, { size }) => product * size, 1);
  for (let index = 0; index < count; index++) {
    let rest = index;
    let [a, b] = [0, 0];
    for (const { size, aStride, bStride } of batches.toReversed()) {
      a += (rest % size) * aStride;
      b += (rest % size) * bStride;
      rest = Math.floor(rest / size);
    }
    visit(index, a, b);
  }
}

function intDot(a: Int32Array, atA: number, b: Int32Array, atB: number, stepB: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum = (sum + Math.imul(a[atA + i]!, b[atB + i * stepB]!)) | 0;
  return sum;
}

function constantBlocks(b: Tensor, bias: Tensor | undefined, { n, k }: Products, transposeB: boolean): Uint8Array {
  const data = b.data as Float32Array;
  const weight = transposeB ? (c: number, i: number) => data[c * k + i]! : (c: number, i: number) => data[i * n + c]!;
  return floatBlocks(n, k, bias?.data as Float32Array | undefined, weight, b.dtype === "int32");
}

export const floatMatmul: Operator<"floatMatmul"> = {
  name: "floatMatmul",

  check(node, inputs) {
    const a = present(inputs[0], node.name, "first input");
    const b = present(inputs[1], node.name, "second input");
    requireDType(a, ["float32", "int32"], node.name);
    requireDType(b, [a.dtype], node.name);
    const products = productsOf(node, a, b);
    const bias = inputs[2];
    requireConstant(bias, "bias", node.name);
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== products.n || !b.data || products.batches.length > 0)) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: a bias [${bias.shape}] needs a constant second matrix of ${bias.shape} columns; add it in a node of its own.`,
      );
    }
    return [{ shape: products.shape, dtype: a.dtype }];
  },

  reference(node, [a, b, bias], [output]) {
    const { m, n, k, batches } = productsOf(node, a!, b!);
    const { transposeB, min, max } = node.attrs;
    const [least, most] = [Math.fround(min), Math.fround(max)];
    const result = zeros(output!.dtype, elementCount(output!.shape));
    const [x, y] = [a!.data as Float32Array, b!.data as Float32Array];
    const [stepN, stepK] = transposeB ? [k, 1] : [1, n];
    forBatches(batches, (index, atA, atB) => {
      for (let row = 0; row < m; row++) {
        for (let c = 0; c < n; c++) {
          const at = (index * m + row) * n + c;
          if (output!.dtype === "int32") {
            result[at] = intDot(a!.data as Int32Array, atA + row * k, b!.data as Int32Array, atB + c * stepN, stepK, k);
          } else {
            const sum = dot((bias?.data[c] as number) ?? 0, x, atA + row * k, y, atB + c * stepN, stepK, k);
            result[at] = Math.min(Math.max(sum, least), most);
          }
        }
      }
    });
    return [result];
  },

  lower(node, lowering) {
    const [aId, bId, biasId = -1] = node.inputs as [number, number, number?];
    const [a, b] = [lowering.tensor(aId), lowering.tensor(bId)];
    const products = productsOf(node, a, b);
    const { m, n, k, batches } = products;
    const bias = biasId < 0 ? undefined : lowering.tensor(biasId);
    const isConstant = b.data !== undefined && batches.length === 0;
    const integer = a.dtype === "int32" ? MatmulKernel.Int : 0;
    // Two axes of batches a step; each cell of those before them is a step of its own.
    const inner = batches.slice(-2);
    while (inner.length < 2) inner.unshift({ size: 1, aStride: 0, bStride: 0 });
    const [outer0, outer1] = inner as [Products["batches"][0], Products["batches"][0]];
    const perStep = outer0.size * outer1.size * m * n;
    forBatches(batches.slice(0, -2), (index, atA, atB) => {
      lowering.emit({
        op: Op.FloatMatmul,
        kernel:
          integer +
          (isConstant ? MatmulKernel.Constant : node.attrs.transposeB ? MatmulKernel.Columns : MatmulKernel.Rows),
        input: lowering.at(aId, atA * 4),
        ...(isConstant
          ? { params: lowering.params(constantBlocks(b, bias, products, node.attrs.transposeB)) }
          : { input2: lowering.at(bId, atB * 4), scratchBytes: (k + 1) * 32 }),
        output: lowering.at(node.outputs[0]!, index * perStep * 4),
        fields: [
          [FloatMatmul.Batch0, outer0.size],
          [FloatMatmul.Batch1, outer1.size],
          [FloatMatmul.M, m],
          [FloatMatmul.N, n],
          [FloatMatmul.K, k],
          [FloatMatmul.AStride0, outer0.aStride],
          [FloatMatmul.AStride1, outer1.aStride],
          [FloatMatmul.BStride0, outer0.bStride],
          [FloatMatmul.BStride1, outer1.bStride],
        ],
        floats: clampFloats(node.attrs),
        kernelName: `gemm 4×8 ${integer ? "i32" : "f32"}${isConstant ? "" : ", b packed at run"}`,
        macs: perStep * k,
      });
    });
  },
};

const clampFloats = ({
  min,
  max,
}: {
  min: number;
  max: number;
}): NonNullable<Parameters<Lowering["emit"]>[0]["floats"]> => [
  [FloatMatmul.Min, min],
  [FloatMatmul.Max, max],
];
