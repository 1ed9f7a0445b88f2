// split: cuts x along one axis into parts of the given sizes, one an output.

import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { type Box, emitCopy, moveBox, requireSameQuantization, stridesOf } from "./stridedCopy.ts";
import { present } from "./window.ts";

function partShape(node: Node<"split">, x: Tensor, part: number): number[] {
  return x.shape.map((dim, axis) => (axis === node.attrs.axis ? node.attrs.sizes[part]! : dim));
}

function boxOf(node: Node<"split">, x: Tensor, part: number): Box {
  const dims = partShape(node, x, part);
  const inStrides = stridesOf(x.shape);
  const before = node.attrs.sizes.slice(0, part).reduce((sum, size) => sum + size, 0);
  return { dims, inStrides, inOffset: before * inStrides[node.attrs.axis]!, outStrides: stridesOf(dims), outOffset: 0 };
}

export const split: Operator<"split"> = {
  name: "split",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { axis, sizes } = node.attrs;
    const extent = x.shape[axis];
    if (
      extent === undefined ||
      sizes.reduce((sum, size) => sum + size, 0) !== extent ||
      sizes.some((size) => size < 1)
    ) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the parts [${sizes}] must add up to axis ${axis} of [${x.shape}], each at least 1.`,
      );
    }
    if (outputs.length !== sizes.length) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${sizes.length} parts need as many outputs but it has ${outputs.length}.`,
      );
    }
    return sizes.map((_, part) => {
      requireSameQuantization(x, outputs[part]!, node.name);
      return { shape: partShape(node, x, part), dtype: x.dtype };
    });
  },

  reference(node, [x]) {
    return node.attrs.sizes.map((_, part) => {
      const out = zeros(x!.dtype, elementCount(partShape(node, x!, part)));
      moveBox(boxOf(node, x!, part), x!.data, out);
      return out;
    });
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    for (const [part, output] of node.outputs.entries()) {
      emitCopy(lowering, node.name, node.inputs[0]!, (offset) => lowering.at(output, offset), boxOf(node, x, part));
    }
  },
};
