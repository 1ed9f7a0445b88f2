// squaredDifference: out = clamp(scale((a' − b')²) + zy) with a' = scaleA((a − za) · 2^7), b' likewise:
// TFLite's integer rule. Both inputs are brought to twice the larger input scale first.

import { SquaredDifferenceField as Field, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { binaryOperator } from "./binary.ts";
import { fixedPoint, multiplyFixedPoint } from "./fixedPoint.ts";
import { perTensor } from "./quantization.ts";

/** Bits that a difference of inputs is shifted left, for precision. */
const LEFT_SHIFT = 7;

export const squaredDifference = binaryOperator({
  name: "squaredDifference",
  op: Op.SquaredDifference,
  kernelName: "scalar s8",
  rule(a, b, output, node) {
    const qa = perTensor(a, node);
    const qb = perTensor(b, node);
    const out = perTensor(output, node);
    const common = 2 * Math.max(qa.scale, qb.scale);
    const real = (common * common) / (2 ** (2 * LEFT_SHIFT) * out.scale);
    if (!(real < 1)) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: the output's scale ${out.scale} is too small for inputs of scales ${qa.scale} and ${qb.scale}; quantize the output to the range it really has.`,
      );
    }
    const scaleA = fixedPoint(qa.scale / common);
    const scaleB = fixedPoint(qb.scale / common);
    const scale = fixedPoint(real);
    return {
      apply(x, y) {
        const scaledA = multiplyFixedPoint((x - qa.zeroPoint) * 2 ** LEFT_SHIFT, scaleA);
        const scaledB = multiplyFixedPoint((y - qb.zeroPoint) * 2 ** LEFT_SHIFT, scaleB);
        return multiplyFixedPoint((scaledA - scaledB) ** 2, scale) + out.zeroPoint;
      },
      fields: [
        [Field.AZero, qa.zeroPoint],
        [Field.BZero, qb.zeroPoint],
        [Field.AMultiplier, scaleA.multiplier],
        [Field.AShift, -scaleA.shift],
        [Field.BMultiplier, scaleB.multiplier],
        [Field.BShift, -scaleB.shift],
        [Field.OutMultiplier, scale.multiplier],
        [Field.OutShift, -scale.shift],
      ],
    };
  },
});
