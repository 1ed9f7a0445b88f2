// stridedSlice: out[i] = x[begin + i · stride] on every axis; strides may be negative.

import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { type Box, emitCopy, moveBox, requireSameQuantization, stridesOf } from "./stridedCopy.ts";
import { present } from "./window.ts";

function boxOf(node: Node<"stridedSlice">, x: Tensor): Box {
  const { begin, strides, sizes } = node.attrs;
  const own = stridesOf(x.shape);
  return {
    dims: sizes,
    inStrides: own.map((stride, axis) => stride * strides[axis]!),
    inOffset: own.reduce((sum, stride, axis) => sum + stride * begin[axis]!, 0),
    outStrides: stridesOf(sizes),
    outOffset: 0,
  };
}

export const stridedSlice: Operator<"stridedSlice"> = {
  name: "stridedSlice",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { begin, strides, sizes, squeeze } = node.attrs;
    const rank = x.shape.length;
    if (begin.length !== rank || strides.length !== rank || sizes.length !== rank) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: begin, strides and sizes must name each of the ${rank} axes of [${x.shape}] but have ${begin.length}, ${strides.length} and ${sizes.length} entries.`,
      );
    }
    for (const [axis, extent] of x.shape.entries()) {
      const first = begin[axis]!;
      const last = first + (sizes[axis]! - 1) * strides[axis]!;
      const inside = first >= 0 && first < extent && last >= 0 && last < extent;
      if (!inside || sizes[axis]! < 1 || strides[axis]! === 0) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: axis ${axis} takes ${sizes[axis]} elements from ${first} by ${strides[axis]} but the input [${x.shape}] has ${extent} there; check begin, end and strides.`,
        );
      }
    }
    const wide = squeeze.find((axis) => sizes[axis] !== 1);
    if (wide !== undefined) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: axis ${wide} cannot be dropped: it has ${sizes[wide]} elements, not 1.`,
      );
    }
    requireSameQuantization(x, outputs[0]!, node.name);
    return [{ shape: sizes.filter((_, axis) => !squeeze.includes(axis)), dtype: x.dtype }];
  },

  reference(node, [x]) {
    const out = zeros(x!.dtype, elementCount(node.attrs.sizes));
    moveBox(boxOf(node, x!), x!.data, out);
    return [out];
  },

  lower(node, lowering) {
    const output = node.outputs[0]!;
    const box = boxOf(node, lowering.tensor(node.inputs[0]!));
    emitCopy(lowering, node.name, node.inputs[0]!, (offset) => lowering.at(output, offset), box);
  },
};
