// layerNorm: (x − mean) / √(variance + epsilon) · gain + offset over the last axis; normalize.ts has the rule.

import { normalizeOperator } from "./normalize.ts";

export const layerNorm = normalizeOperator("layerNorm");
