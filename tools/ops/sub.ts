// sub: out = a − b by add's rule with b's multiplier negated, as XNNPACK.

import { Op } from "../../assembly/abi.ts";
import { addRule } from "./add.ts";
import { binaryOperator } from "./binary.ts";

export const sub = binaryOperator({
  name: "sub",
  op: Op.Add,
  kernelName: "rows ×8 s8",
  rule: (a, b, output, node) => addRule(-1, a, b, output, node),
});
