// reshape: the same elements, row-major, under another shape; no step, the output shares the input's
// bytes. Only a constant, which lies in the read-only image, is copied.

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { emitCopy, requireSameQuantization } from "./stridedCopy.ts";
import { present } from "./window.ts";

export const reshape: Operator<"reshape"> = {
  name: "reshape",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { shape } = node.attrs;
    if (elementCount(shape) !== elementCount(x.shape)) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: [${x.shape}] has ${elementCount(x.shape)} elements but the new shape [${shape}] has ${elementCount(shape)}; give a shape of as many.`,
      );
    }
    requireSameQuantization(x, outputs[0]!, node.name);
    return [{ shape, dtype: x.dtype }];
  },

  reference(_node, [x]) {
    return [x!.data.slice()];
  },

  lower(node, lowering) {
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    const tensor = lowering.tensor(input);
    if (!tensor.data) return lowering.alias(output, input);
    const count = elementCount(tensor.shape);
    const box = { dims: [count], inStrides: [1], inOffset: 0, outStrides: [1], outOffset: 0 };
    emitCopy(lowering, node.name, input, (offset) => lowering.at(output, offset), box);
  },
};
