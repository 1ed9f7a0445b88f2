// dequantize: y = f32(scale) · f32(q − zeroPoint), from int8, uint8 or int16; the one rounding is float32's.

import { Affine, Op } from "../../assembly/abi.ts";
import { elementCount } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { perTensor } from "./quantization.ts";
import { INTEGER_KINDS } from "./quantize.ts";
import { present, requireDType } from "./window.ts";

export const dequantize: Operator<"dequantize"> = {
  name: "dequantize",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, Object.keys(INTEGER_KINDS), node.name);
    perTensor(x, node.name);
    return [{ shape: x.shape, dtype: "float32" }];
  },

  reference(node, [x]) {
    const { scale, zeroPoint } = perTensor(x!, node.name);
    return [Float32Array.from(x!.data as Int8Array, (q) => scale * (q - zeroPoint))];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { scale, zeroPoint } = perTensor(x, node.name);
    lowering.emit({
      op: Op.Dequantize,
      kernel: INTEGER_KINDS[x.dtype]!,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [Affine.Count, elementCount(x.shape)],
        [Affine.Zero, zeroPoint],
      ],
      floats: [[Affine.Scale, scale]],
      kernelName: `${x.dtype} → float32`,
    });
  },
};
