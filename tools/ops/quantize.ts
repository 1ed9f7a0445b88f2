// quantize: y = saturate(rne(f32(x / scale)) + zeroPoint), float32 to int8, uint8 or int16; NaN becomes the
// zero point. The same rule as the host's at the edge, and as ONNX QuantizeLinear; TFLite rounds halves
// away from zero, XNNPACK multiplies by 1/scale.

import { Affine, IntegerKind, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { integerRange, perTensor, roundEven } from "./quantization.ts";
import { present, requireDType } from "./window.ts";

/** The kernels of quantize and dequantize, by the integer's dtype. */
export const INTEGER_KINDS: Readonly<Record<string, IntegerKind>> = {
  int8: IntegerKind.Int8,
  uint8: IntegerKind.Uint8,
  int16: IntegerKind.Int16,
};

export const quantize: Operator<"quantize"> = {
  name: "quantize",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32"], node.name);
    const { dtype, name } = outputs[0]!;
    if (INTEGER_KINDS[dtype] === undefined) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: the output "${name}" is ${dtype} but only int8, uint8 and int16 are supported; quantize to one of them.`,
      );
    }
    perTensor(outputs[0]!, node.name);
    return [{ shape: x.shape, dtype }];
  },

  reference(node, [x], [output]) {
    const { scale, zeroPoint } = perTensor(output!, node.name);
    const [min, max] = integerRange(output!.dtype);
    const out = zeros(output!.dtype, x!.data.length);
    for (const [i, value] of (x!.data as Float32Array).entries()) {
      const q = roundEven(Math.fround(value / scale)) + zeroPoint;
      out[i] = Number.isNaN(q) ? zeroPoint : Math.min(max, Math.max(min, q));
    }
    return [out];
  },

  lower(node, lowering) {
    const output = lowering.tensor(node.outputs[0]!);
    const { scale, zeroPoint } = perTensor(output, node.name);
    lowering.emit({
      op: Op.Quantize,
      kernel: INTEGER_KINDS[output.dtype]!,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [Affine.Count, elementCount(output.shape)],
        [Affine.Zero, zeroPoint],
      ],
      floats: [[Affine.Scale, scale]],
      kernelName: `float32 → ${output.dtype}`,
    });
  },
};
