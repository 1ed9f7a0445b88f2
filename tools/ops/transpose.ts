// transpose: out[i₀, i₁, …] = x with axis permutation[a] of x as axis a of the output.

import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { type Box, emitCopy, moveBox, requireSameQuantization, stridesOf } from "./stridedCopy.ts";
import { present } from "./window.ts";

function boxOf(node: Node<"transpose">, x: Tensor): Box {
  const strides = stridesOf(x.shape);
  const dims = node.attrs.permutation.map((axis) => x.shape[axis]!);
  return {
    dims,
    inStrides: node.attrs.permutation.map((axis) => strides[axis]!),
    inOffset: 0,
    outStrides: stridesOf(dims),
    outOffset: 0,
  };
}

export const transpose: Operator<"transpose"> = {
  name: "transpose",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { permutation } = node.attrs;
    if ([...permutation].sort((a, b) => a - b).join() !== x.shape.map((_, axis) => axis).join()) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the permutation [${permutation}] must name each of the ${x.shape.length} axes of [${x.shape}] once.`,
      );
    }
    requireSameQuantization(x, outputs[0]!, node.name);
    return [{ shape: permutation.map((axis) => x.shape[axis]!), dtype: x.dtype }];
  },

  reference(node, [x]) {
    const out = zeros(x!.dtype, elementCount(x!.shape));
    moveBox(boxOf(node, x!), x!.data, out);
    return [out];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const output = node.outputs[0]!;
    const moved = node.attrs.permutation.filter((axis) => x.shape[axis]! > 1);
    const inOrder = moved.every((axis, i) => i === 0 || moved[i - 1]! < axis);
    // Only axes of size 1 changed places: the bytes stay as they are.
    if (inOrder && !x.data) return lowering.alias(output, node.inputs[0]!);
    emitCopy(lowering, node.name, node.inputs[0]!, (offset) => lowering.at(output, offset), boxOf(node, x));
  },
};
