// leakyRelu: x or alpha · x. XNNPACK's rule: y = (((x − zx) · m + 128) >> 8) + zy with
// m = lrint(256 · sx/sy), times alpha below zero; for ratios that its kernels do not take, TFLite's.

import type { Tensor } from "../graph/graph.ts";
import { type FixedPoint, fixedPoint, multiplyFixedPoint } from "./fixedPoint.ts";
import { perTensor, roundEven } from "./quantization.ts";
import { integerTable, tableOperator } from "./table.ts";

export const leakyRelu = tableOperator({
  name: "leakyRelu",
  table(node, input, output) {
    const alpha = Math.fround(node.attrs.alpha);
    const from = perTensor(input, node.name);
    const to = perTensor(output, node.name);
    const times = coarse(alpha, input, output, node.name) ?? fine(alpha, input, output, node.name);
    return integerTable(input, output, (value) => times(value - from.zeroPoint) + to.zeroPoint);
  },
});

type Slope = (difference: number) => number;

/** XNNPACK's ranges: 2^-8 … 2^7, and for alpha's side either sign of them. */
function coarse(alpha: number, input: Tensor, output: Tensor, node: string): Slope | undefined {
  const positive = Math.fround(perTensor(input, node).scale / perTensor(output, node).scale);
  const negative = Math.fround(positive * alpha);
  if (positive < 2 ** -8 || positive > 2 ** 7) return undefined;
  if (Math.abs(negative) < 2 ** -8 || negative > 2 ** 7 || negative < -(2 ** 7 - 2 ** -8)) return undefined;
  const up = roundEven(256 * positive);
  const down = roundEven(256 * negative);
  return (difference) => (difference * (difference >= 0 ? up : down) + 128) >> 8;
}

function fine(alpha: number, input: Tensor, output: Tensor, node: string): Slope {
  const ratio = perTensor(input, node).scale / perTensor(output, node).scale;
  const up = fixedPoint(ratio);
  const down = fixedPoint(Math.abs(ratio * alpha));
  const sign = alpha < 0 ? -1 : 1;
  const scaled = (difference: number, factor: FixedPoint): number => multiplyFixedPoint(difference, factor);
  return (difference) => (difference >= 0 ? scaled(difference, up) : sign * scaled(difference, down));
}
