// requantize: an integer to one of another scale, zero point or dtype. 8 bits to 8 bits by table: where
// XNNPACK has a kernel, its rule y = (((x − zx) · lrint(256 · sx/sy) + 128) >> 8) + zy; elsewhere
// TFLite's, with 31-bit multipliers, as wherever int16 or int32 takes part (requantize16.ts).

import type { Tensor, TensorData } from "../graph/graph.ts";
import { fixedPoint, multiplyFixedPoint } from "./fixedPoint.ts";
import type { Operator } from "./operator.ts";
import { integerRange, perTensor, roundEven } from "./quantization.ts";
import { emitRequantize16, type Range, requantized16, rescaleOf } from "./requantize16.ts";
import { integerTable, tableOperator } from "./table.ts";
import { present } from "./window.ts";

/** One integer of `input` to one of `output`, unclamped, by TFLite's rule. */
export function rescale(input: Tensor, output: Tensor, node: string): (value: number) => number {
  const from = perTensor(input, node);
  const to = perTensor(output, node);
  const factor = fixedPoint(from.scale / to.scale);
  return (value) => multiplyFixedPoint(value - from.zeroPoint, factor) + to.zeroPoint;
}

/** XNNPACK's kernels take ratios of scales from 2^-8 to 2^7, without a change of dtype. */
function coarseRescale(input: Tensor, output: Tensor, node: string): ((value: number) => number) | undefined {
  const from = perTensor(input, node);
  const to = perTensor(output, node);
  const ratio = Math.fround(from.scale / to.scale);
  if (input.dtype !== output.dtype || ratio < 2 ** -8 || ratio > 2 ** 7) return undefined;
  const multiplier = roundEven(256 * ratio);
  return (value) => (((value - from.zeroPoint) * multiplier + 128) >> 8) + to.zeroPoint;
}

const byTable = tableOperator({
  name: "requantize",
  dtypes: ["int8", "uint8"],
  table(node, input, output) {
    const { name } = node;
    return integerTable(input, output, coarseRescale(input, output, name) ?? rescale(input, output, name));
  },
});

/** Whether a table of 256 bytes does it. */
function isTable(input: Tensor, output: Tensor): boolean {
  return [input, output].every(({ dtype }) => dtype === "int8" || dtype === "uint8");
}

function rangeOf(output: Tensor): Range {
  return output.dtype === "int32" ? [-(2 ** 31), 2 ** 31 - 1] : integerRange(output.dtype);
}

export const requantize: Operator<"requantize"> = {
  name: "requantize",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const output = outputs[0]!;
    if (isTable(x, output)) return byTable.check(node, inputs, outputs);
    rescaleOf(x, output, node.name);
    return [{ shape: x.shape, dtype: output.dtype }];
  },

  reference(node, inputs, outputs): readonly TensorData[] {
    const x = inputs[0]!;
    const output = outputs[0]!;
    if (isTable(x, output)) return byTable.reference(node, inputs, outputs);
    return [requantized16(x, x.data, output, rangeOf(output), node.name)];
  },

  lower(node, lowering) {
    const [from, to] = [node.inputs[0]!, node.outputs[0]!];
    const x = lowering.tensor(from);
    const output = lowering.tensor(to);
    if (isTable(x, output)) byTable.lower(node, lowering);
    else emitRequantize16(lowering, lowering.at(from), x, lowering.at(to), output, rangeOf(output), node.name);
  },
};
