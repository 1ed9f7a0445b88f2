// clamp: relu, relu6, relu_n1_to_1 on their own. TFLite's rule: rescale, then clamp the integer.

import { integerRange, perTensor, realRange } from "./quantization.ts";
import { rescale } from "./requantize.ts";
import { integerTable, tableOperator } from "./table.ts";

export const clamp = tableOperator({
  name: "clamp",
  table(node, input, output) {
    const { scale, zeroPoint } = perTensor(output, node.name);
    const [least, most] = integerRange(output.dtype);
    const [min, max] = realRange(node.attrs.min, node.attrs.max, scale, zeroPoint, least, most);
    const rescaled = rescale(input, output, node.name);
    return integerTable(input, output, (value) => Math.min(max, Math.max(min, rescaled(value))));
  },
});
