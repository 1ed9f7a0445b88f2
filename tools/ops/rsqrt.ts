// rsqrt: 1 / √x; zero and below give the largest output, as TFLite does for zero.

import { realTable, tableOperator } from "./table.ts";

export const rsqrt = tableOperator({
  name: "rsqrt",
  table: (node, input, output) => realTable(input, output, node.name, (x) => (x > 0 ? 1 / Math.sqrt(x) : Infinity)),
});
