// pad: x in the middle of a larger box whose other cells hold the real value `value`.

import { Fill, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { integerRange, perTensor, roundEven } from "./quantization.ts";
import { type Box, emitCopy, moveBox, requireSameQuantization, stridesOf } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

function paddedShape(node: Node<"pad">, x: Tensor): number[] {
  return x.shape.map((dim, axis) => dim + node.attrs.paddings[axis]![0] + node.attrs.paddings[axis]![1]);
}

function boxOf(node: Node<"pad">, x: Tensor): Box {
  const outStrides = stridesOf(paddedShape(node, x));
  const outOffset = outStrides.reduce((sum, stride, axis) => sum + stride * node.attrs.paddings[axis]![0], 0);
  return { dims: x.shape, inStrides: stridesOf(x.shape), inOffset: 0, outStrides, outOffset };
}

/** The padding as the tensor stores it: quantized, or as it is where there is no quantization. */
function storedValue(node: Node<"pad">, output: Tensor): number {
  const { value } = node.attrs;
  if (output.dtype === "float32" || output.dtype === "int32") return value;
  const { scale, zeroPoint } = perTensor(output, node.name);
  const [min, max] = integerRange(output.dtype);
  return Math.min(max, Math.max(min, roundEven(Math.fround(value / scale)) + zeroPoint));
}

/** The bits of `value`, as one element of the tensor's dtype. */
function elementBits(output: Tensor, value: number): number {
  if (output.dtype !== "float32") return value;
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

export const pad: Operator<"pad"> = {
  name: "pad",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { paddings } = node.attrs;
    requireDType(x, ["int8", "uint8", "int16", "int32", "float32"], node.name);
    if (paddings.length !== x.shape.length || paddings.some(([before, after]) => before < 0 || after < 0)) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the paddings [${paddings.map((pair) => `[${pair}]`)}] must give two counts of at least 0 to each of the ${x.shape.length} axes of [${x.shape}].`,
      );
    }
    requireSameQuantization(x, outputs[0]!, node.name);
    storedValue(node, outputs[0]!);
    return [{ shape: paddedShape(node, x), dtype: x.dtype }];
  },

  reference(node, [x], [output]) {
    const out = zeros(x!.dtype, elementCount(paddedShape(node, x!)));
    (out as Int32Array).fill(storedValue(node, output!));
    moveBox(boxOf(node, x!), x!.data, out);
    return [out];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const target = node.outputs[0]!;
    const output = lowering.tensor(target);
    const elementBytes = DTYPE_BYTES[output.dtype];
    if (elementCount(output.shape) !== elementCount(x.shape)) {
      lowering.emit({
        op: Op.Fill,
        output: lowering.at(target),
        fields: [
          [Fill.Bytes, elementCount(output.shape) * elementBytes],
          [Fill.Value, elementBits(output, storedValue(node, output))],
          [Fill.ElementBytes, elementBytes],
        ],
        kernelName: `${elementBytes}-byte elements`,
      });
    }
    emitCopy(lowering, node.name, node.inputs[0]!, (offset) => lowering.at(target, offset), boxOf(node, x));
  },
};
