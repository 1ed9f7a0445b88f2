// lstm: long short-term memory without peepholes; recurrentRule.ts has the arithmetic.

import { recurrentOperator } from "./recurrent.ts";

export const lstm = recurrentOperator("lstm");
