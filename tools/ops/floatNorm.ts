// floatNorm: (x − mean) / √(variance + ε) · gain + shift over the last axis (layer norm), or with the mean as 0 (RMS
// norm), in float32; mean and variance in float64, in order.

import { Op } from "../../assembly/abi.ts";
import { FloatNorm } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { requireConstant } from "./floatProducts.ts";
import type { Operator } from "./operator.ts";
import { present, requireDType } from "./window.ts";

const f32 = Math.fround;

export const floatNorm: Operator<"floatNorm"> = {
  name: "floatNorm",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32"], node.name);
    for (const [i, what] of [
      [1, "gain"],
      [2, "shift"],
    ] as const) {
      const tensor = present(inputs[i], node.name, what);
      requireConstant(tensor, what, node.name);
      if (tensor.shape.join() !== `${x.shape.at(-1)}`) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: the ${what} [${tensor.shape}] must be one value for each of the last axis of [${x.shape}].`,
        );
      }
    }
    return [{ shape: x.shape, dtype: "float32" }];
  },

  reference(node, [x, gain, shift]) {
    const input = x!.data as Float32Array;
    const depth = x!.shape.at(-1)!;
    const epsilon = f32(node.attrs.epsilon);
    const result = new Float32Array(input.length);
    for (let row = 0; row < input.length; row += depth) {
      let mean = 0;
      if (!node.attrs.rms) for (let i = 0; i < depth; i++) mean += input[row + i]!;
      mean /= depth;
      let sum = 0;
      for (let i = 0; i < depth; i++) sum += (input[row + i]! - mean) * (input[row + i]! - mean);
      const inverse = 1 / Math.sqrt(sum / depth + epsilon);
      for (let i = 0; i < depth; i++) {
        const n = f32((input[row + i]! - mean) * inverse);
        result[row + i] = f32(n * (gain!.data[i] as number)) + (shift!.data[i] as number);
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const { shape } = lowering.tensor(node.inputs[0]!);
    const depth = shape.at(-1)!;
    const params = new Float32Array(2 * depth);
    params.set(lowering.tensor(node.inputs[1]!).data as Float32Array);
    params.set(lowering.tensor(node.inputs[2]!).data as Float32Array, depth);
    lowering.emit({
      op: Op.FloatNorm,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(new Uint8Array(params.buffer)),
      fields: [
        [FloatNorm.Rows, elementCount(shape) / depth],
        [FloatNorm.Depth, depth],
        [FloatNorm.Rms, Number(node.attrs.rms)],
      ],
      floats: [[FloatNorm.Epsilon, node.attrs.epsilon]],
      inPlace: true,
      kernelName: node.attrs.rms ? "RMS f32" : "layer f32",
    });
  },
};
