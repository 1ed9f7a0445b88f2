// silu: x / (1 + e^−x), rounded to float32 once.

import { exponential } from "./exponential.ts";
import { realTable, tableOperator } from "./table.ts";

/** Past this the value is 0 or x in float32. */
const FAR = 100;

export const silu = tableOperator({
  name: "silu",
  table: (node, input, output) =>
    realTable(input, output, node.name, (x) => {
      if (Math.abs(x) > FAR) return Math.max(0, x);
      return x / (1 + exponential(-x));
    }),
});
