// logistic: 1 / (1 + e^−x), rounded to float32 once.

import { exponential } from "./exponential.ts";
import { realTable, tableOperator } from "./table.ts";

/** Past this the value is 0 or 1 in float32. */
const FAR = 100;

export const logistic = tableOperator({
  name: "logistic",
  table: (node, input, output) =>
    realTable(input, output, node.name, (x) => {
      if (x > FAR) return 1;
      return x < -FAR ? 0 : 1 / (1 + exponential(-x));
    }),
});
