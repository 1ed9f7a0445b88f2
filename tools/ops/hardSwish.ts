// hardSwish: x / 6 · clamp(x + 3, 0, 6), in float32 and in XNNPACK's order.

import { realTable, tableOperator } from "./table.ts";

export const hardSwish = tableOperator({
  name: "hardSwish",
  table: (node, input, output) =>
    realTable(input, output, node.name, (x) => Math.fround(x / 6) * Math.max(0, Math.min(Math.fround(x + 3), 6))),
});
