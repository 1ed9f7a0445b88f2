// What layerNorm and rmsNorm share: both are one step of the core, whose rule assembly/ops/normalize.ts has.
// Invariant: sums are whole numbers below 2^53, the rest is float32 at every step.

import { Normalize as Field, NormalizeKernel } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { perTensor, roundEven } from "./quantization.ts";
import { present, requireDType } from "./window.ts";

type Name = "layerNorm" | "rmsNorm";

const MOST_WIDTH = 16384;

interface Constants {
  readonly width: number;
  readonly epsilon: number;
  /** gain / s_y, then offset / s_y */
  readonly affine: Float32Array;
}

function constantsOf(node: Node<Name>, [x, gain, offset]: readonly (Tensor | undefined)[], output: Tensor): Constants {
  const width = x!.shape.at(-1)!;
  const { scale } = perTensor(x!, node.name);
  const out = perTensor(output, node.name).scale;
  const affine = new Float32Array(2 * width);
  for (let c = 0; c < width; c++) {
    affine[c] = Number(gain!.data![c]) / out;
    affine[width + c] = Number(offset?.data?.[c] ?? 0) / out;
  }
  return { width, epsilon: Math.fround((node.attrs.epsilon * width * width) / (scale * scale)), affine };
}

export function normalizeOperator<K extends Name>(name: K): Operator<K> {
  return {
    name,

    check(given, inputs, outputs) {
      const node = given as Node<Name>;
      const x = present(inputs[0], node.name, "input");
      const gain = present(inputs[1], node.name, "gain");
      for (const tensor of [x, outputs[0]!]) {
        requireDType(tensor, ["int8"], node.name);
        perTensor(tensor, node.name);
      }
      const width = x.shape.at(-1) ?? 0;
      for (const tensor of [gain, inputs[2]]) {
        if (!tensor) continue;
        if (tensor.data && tensor.dtype === "float32" && elementCount(tensor.shape) === width) continue;
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: "${tensor.name}" must be a float32 constant of ${width} values but is ${tensor.dtype} [${tensor.shape}]${tensor.data ? "" : ", computed"}.`,
        );
      }
      if (width < 1 || width > MOST_WIDTH) {
        throw new ToolError(
          "UNSUPPORTED",
          `${node.name}: rows of ${width} values but 1 … ${MOST_WIDTH} are supported.`,
        );
      }
      const { epsilon, affine } = constantsOf(node, inputs, outputs[0]!);
      if (!(epsilon > 0 && epsilon < Infinity && affine.every(Number.isFinite))) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: epsilon ${node.attrs.epsilon}, the gain and the offset must be finite in units of the tensors' scales, and epsilon above 0.`,
        );
      }
      return [{ shape: x.shape, dtype: "int8" }];
    },

    reference(given, inputs, [output]) {
      const node = given as Node<Name>;
      const [x] = inputs;
      const { width, epsilon, affine } = constantsOf(node, inputs, output!);
      const inZero = perTensor(x!, node.name).zeroPoint;
      const outZero = perTensor(output!, node.name).zeroPoint;
      const result = new Int8Array(x!.data.length);
      for (let row = 0; row < result.length; row += width) {
        const values = Array.from({ length: width }, (_, c) => Number(x!.data[row + c]) - inZero);
        const sum = name === "layerNorm" ? values.reduce((a, b) => a + b) : 0;
        const spread = width * values.reduce((a, b) => a + b * b, 0) - sum * sum;
        const r = Math.fround(1 / Math.fround(Math.sqrt(Math.fround(Math.fround(spread) + epsilon))));
        for (const [c, value] of values.entries()) {
          const scaled = Math.fround(Math.fround(Math.fround(width * value - sum) * r) * affine[c]!);
          const q = roundEven(Math.fround(scaled + affine[width + c]!)) + outZero;
          result[row + c] = Math.max(-128, Math.min(127, q));
        }
      }
      return [result];
    },

    lower(given, lowering) {
      const node = given as Node<Name>;
      const inputs = node.inputs.map((id) => (id < 0 ? undefined : lowering.tensor(id)));
      const x = inputs[0]!;
      const output = lowering.tensor(node.outputs[0]!);
      const { width, epsilon, affine } = constantsOf(node, inputs, output);
      lowering.emit({
        op: Op.Normalize,
        kernel: name === "layerNorm" ? NormalizeKernel.Layer : NormalizeKernel.Rms,
        input: lowering.at(node.inputs[0]!),
        output: lowering.at(node.outputs[0]!),
        params: lowering.params(new Uint8Array(affine.buffer)),
        fields: [
          [Field.Rows, elementCount(x.shape) / width],
          [Field.Width, width],
          [Field.InZero, perTensor(x, node.name).zeroPoint],
          [Field.OutZero, perTensor(output, node.name).zeroPoint],
        ],
        floats: [[Field.Epsilon, epsilon]],
        inPlace: true,
        kernelName: "rows s8, exact sums",
      });
    },
  };
}
