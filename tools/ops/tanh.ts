// tanh: 1 − 2 / (e^2x + 1), rounded to float32 once.

import { exponential } from "./exponential.ts";
import { realTable, tableOperator } from "./table.ts";

/** Past this the value is −1 or 1 in float32. */
const FAR = 20;
/** Below this x − x³/3 is nearer: the difference from 1 would cancel. */
const NEAR = 1e-3;

function tanhOf(x: number): number {
  if (Math.abs(x) > FAR) return Math.sign(x);
  return Math.abs(x) < NEAR ? x - (x * x * x) / 3 : 1 - 2 / (exponential(2 * x) + 1);
}

export const tanh = tableOperator({
  name: "tanh",
  table: (node, input, output) => realTable(input, output, node.name, tanhOf),
});
