// rmsNorm: x / √(mean of squares + epsilon) · gain + offset over the last axis; normalize.ts has the rule.

import { normalizeOperator } from "./normalize.ts";

export const rmsNorm = normalizeOperator("rmsNorm");
