// rnn: the simple recurrent layer, h = tanh(W x + R h + b); recurrentRule.ts has the arithmetic.

import { recurrentOperator } from "./recurrent.ts";

export const rnn = recurrentOperator("rnn");
