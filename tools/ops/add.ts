// add: out = clamp(((2^(shift−1) + ma · (a − za) + mb · (b − zb)) >> shift) + zy): XNNPACK's rule, with
// multipliers of 21 bits for the larger of the two ratios of scales. sub is this with −mb.

import { AddField, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { type BinaryRule, binaryOperator } from "./binary.ts";
import { perTensor, roundEven } from "./quantization.ts";

/** Bits of the larger multiplier. */
const MULTIPLIER_BITS = 20;
/** Past this shift half a unit would not fit in int32; smaller ratios just have fewer bits. */
const MOST_SHIFT = 30;
/** From this ratio on, 2^shift would be less than the multipliers need. */
const MOST_RATIO = 256;

/** `sign` is −1 for a − b. */
export function addRule(sign: 1 | -1, a: Tensor, b: Tensor, output: Tensor, node: string): BinaryRule {
  const out = perTensor(output, node);
  const qa = perTensor(a, node);
  const qb = perTensor(b, node);
  const ratioA = Math.fround(qa.scale / out.scale);
  const ratioB = Math.fround(qb.scale / out.scale);
  const larger = Math.max(ratioA, ratioB);
  if (!(larger < MOST_RATIO)) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: an input's scale is ${larger} times the output's but must be less than ${MOST_RATIO} times; quantize the output to the range it really has.`,
    );
  }
  let exponent = 0;
  for (let r = larger; r >= 2; r /= 2) exponent++;
  for (let r = larger; r < 1 && exponent > MULTIPLIER_BITS - MOST_SHIFT; r *= 2) exponent--;
  const shift = MULTIPLIER_BITS - exponent;
  const multiplierA = roundEven(ratioA * 2 ** shift);
  const multiplierB = sign * roundEven(ratioB * 2 ** shift);
  const bias = 2 ** (shift - 1) - multiplierA * qa.zeroPoint - multiplierB * qb.zeroPoint;
  return {
    apply: (x, y) => Math.floor((bias + multiplierA * x + multiplierB * y) / 2 ** shift) + out.zeroPoint,
    fields: [
      [AddField.AMultiplier, multiplierA],
      [AddField.BMultiplier, multiplierB],
      [AddField.Bias, bias],
      [AddField.Shift, shift],
    ],
  };
}

export const add = binaryOperator({
  name: "add",
  op: Op.Add,
  kernelName: "rows ×8 s8",
  rule: (a, b, output, node) => addRule(1, a, b, output, node),
});
