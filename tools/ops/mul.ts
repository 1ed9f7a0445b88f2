// mul: out = clamp(rne(f32((a − za) · (b − zb)) · f32(f32(sa · sb) / sy)) + zy): XNNPACK's rule.

import { MulField, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { binaryOperator } from "./binary.ts";
import { perTensor, roundEven } from "./quantization.ts";

export const mul = binaryOperator({
  name: "mul",
  op: Op.Mul,
  kernelName: "rows ×8 s8",
  rule(a, b, output, node) {
    const qa = perTensor(a, node);
    const qb = perTensor(b, node);
    const out = perTensor(output, node);
    const scale = Math.fround(Math.fround(qa.scale * qb.scale) / out.scale);
    if (!Number.isFinite(scale)) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: scales ${qa.scale} · ${qb.scale} / ${out.scale} pass float32's range; quantize the tensors to the ranges they really have.`,
      );
    }
    return {
      apply: (x, y) => roundEven(Math.fround((x - qa.zeroPoint) * (y - qb.zeroPoint) * scale)) + out.zeroPoint,
      fields: [
        [MulField.AZero, qa.zeroPoint],
        [MulField.BZero, qb.zeroPoint],
      ],
      floats: [[MulField.Scale, scale]],
    };
  },
});
