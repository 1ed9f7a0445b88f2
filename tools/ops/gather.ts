// gather: out[o, i, :] = x[o, index[i], :] along one axis, for values of any size. A negative index counts from the
// end; one outside the axis is clamped into it.

import { Op } from "../../assembly/abi.ts";
import { Gather } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, type Tensor, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { requireSameQuantization } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

function parts(axis: number, { shape }: Tensor) {
  return { outer: elementCount(shape.slice(0, axis)), dim: shape[axis]!, inner: elementCount(shape.slice(axis + 1)) };
}

export const gather: Operator<"gather"> = {
  name: "gather",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const indices = present(inputs[1], node.name, "index tensor");
    const { axis } = node.attrs;
    requireDType(indices, ["int32"], node.name);
    if (!(axis >= 0 && axis < x.shape.length)) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: axis ${axis} is none of [${x.shape}]; give 0 … ${x.shape.length - 1}.`,
      );
    }
    requireSameQuantization(x, outputs[0]!, node.name);
    return [{ shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype }];
  },

  reference(node, [x, indices]) {
    const { outer, dim, inner } = parts(node.attrs.axis, x!);
    const places = Array.from(indices!.data as Int32Array, (index) =>
      Math.min(dim - 1, Math.max(0, index < 0 ? index + dim : index)),
    );
    const result = zeros(x!.dtype, outer * places.length * inner);
    for (let o = 0, at = 0; o < outer; o++) {
      for (const place of places) {
        const from = (o * dim + place) * inner;
        result.set(x!.data.subarray(from, from + inner) as never, at);
        at += inner;
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { outer, dim, inner } = parts(node.attrs.axis, x);
    const innerBytes = inner * DTYPE_BYTES[x.dtype];
    lowering.emit({
      op: Op.Gather,
      input: lowering.at(node.inputs[0]!),
      input2: lowering.at(node.inputs[1]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [Gather.Outer, outer],
        [Gather.AxisDim, dim],
        [Gather.InnerBytes, innerBytes],
        [Gather.Count, elementCount(lowering.tensor(node.inputs[1]!).shape)],
      ],
      kernelName: `runs of ${innerBytes} bytes`,
    });
  },
};
