// softmax over the last axis: gemmlowp's fixed point, as TFLite's reference kernel (every engine
// agrees): e = exp((x − max) · beta · scale) in Q0.31 from a table of the 256 differences, Σ e in
// Q12.19, its reciprocal by Newton's method, out = round(256 · e / Σ) − 128.
// Invariant: integers only; an output of another scale than 1/256 is rescaled by a table after it.

import { Op, Softmax } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Tensor } from "../graph/graph.ts";
import { exponentialTable } from "./exponentialTable.ts";
import { highMultiply, roundingShift } from "./fixedPoint.ts";
import type { Operator } from "./operator.ts";
import { perTensor } from "./quantization.ts";
import { rescale } from "./requantize.ts";
import { emitLookup, integerTable, lookUp } from "./table.ts";
import { present, requireDType } from "./window.ts";

/** Most values of a row: with more the sum could pass int32. */
const MOST_DEPTH = 4095;
/** Integer bits of the sum. */
const SUM_BITS = 12;

/** What the fixed point gives: real 0 … 255/256. */
function natural(output: Tensor): Tensor {
  return { ...output, quant: { scale: Float32Array.of(1 / 256), zeroPoint: Int32Array.of(-128), axis: 0 } };
}

/** The table from the natural output to the one asked for; undefined where they are the same. */
function rescaling(output: Tensor, node: string): Uint8Array | undefined {
  const { scale, zeroPoint } = perTensor(output, node);
  if (scale === 1 / 256 && zeroPoint === -128) return undefined;
  return integerTable(natural(output), output, rescale(natural(output), output, node));
}

export const softmax: Operator<"softmax"> = {
  name: "softmax",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    for (const tensor of [x, outputs[0]!]) {
      requireDType(tensor, ["int8"], node.name);
      perTensor(tensor, node.name);
    }
    const depth = x.shape.at(-1) ?? 1;
    if (depth > MOST_DEPTH) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: softmax over ${depth} values could overflow its sum; at most ${MOST_DEPTH} are supported.`,
      );
    }
    return [{ shape: x.shape, dtype: "int8" }];
  },

  reference(node, [x], [output]) {
    const data = x!.data as Int8Array;
    const depth = x!.shape.at(-1) ?? 1;
    const table = exponentialTable(node.attrs.beta, perTensor(x!, node.name).scale);
    const result = new Int8Array(data.length);
    for (let row = 0; row < data.length; row += depth) {
      const values = data.subarray(row, row + depth);
      const most = values.reduce((a, b) => Math.max(a, b), -128);
      const sum = values.reduce((total, value) => total + roundingShift(table[most - value]!, SUM_BITS), 0);
      const headroom = Math.clz32(sum);
      const reciprocal = oneOverOnePlus(sum * 2 ** headroom - 2 ** 31);
      const exponent = SUM_BITS - headroom + 31 - 8;
      for (const [i, value] of values.entries()) {
        const share = roundingShift(highMultiply(reciprocal, table[most - value]!), exponent);
        result[row + i] = Math.min(share, 255) - 128;
      }
    }
    const rescaled = rescaling(output!, node.name);
    return [rescaled ? lookUp(rescaled, result, "int8") : result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const output = lowering.tensor(node.outputs[0]!);
    const depth = x.shape.at(-1) ?? 1;
    const count = elementCount(x.shape);
    const rescaled = rescaling(output, node.name);
    const to = lowering.at(node.outputs[0]!);
    const table = exponentialTable(node.attrs.beta, perTensor(x, node.name).scale);
    lowering.emit({
      op: Op.Softmax,
      input: lowering.at(node.inputs[0]!),
      output: to,
      params: lowering.params(new Uint8Array(table.buffer)),
      fields: [
        [Softmax.Rows, count / depth],
        [Softmax.Depth, depth],
      ],
      inPlace: true,
      kernelName: "rows s8, table of exponentials",
    });
    if (rescaled) emitLookup(lowering, rescaled, to, to, count);
  },
};

/** 1 / (1 + x), both in Q0.31, by three Newton steps in Q2.29 from 48/17 − 32/17 · (1 + x) / 2. */
function oneOverOnePlus(x: number): number {
  const halfDenominator = Math.floor((x + 2 ** 31) / 2);
  let y = 1515870810 + highMultiply(halfDenominator, -1010580540);
  for (let i = 0; i < 3; i++) {
    const rest = 2 ** 29 - highMultiply(halfDenominator, y);
    y += highMultiply(y, rest) * 4;
  }
  return Math.min(y * 2, 2 ** 31 - 1);
}
