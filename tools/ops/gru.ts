// gru: the gated recurrent unit, reset before or after the product; recurrentRule.ts has the arithmetic.

import { recurrentOperator } from "./recurrent.ts";

export const gru = recurrentOperator("gru");
