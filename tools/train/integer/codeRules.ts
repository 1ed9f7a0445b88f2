// Which whole numbers a layer's weights may become while they are trained, by the coding of its tensor: int8, int4, codebook,
// ternary or binary. Invariant: the codes of a rule are those that tools/quantize gives such a tensor, so the packer takes them.

import type { Tensor } from "../../graph/graph.ts";
import type { CodeRule } from "../ops/integerRule.ts";

/** Steps of a binary weight within one scale: the sign is that of the weight but for the last 1/128 of a scale. */
const SIGN_STEPS = 64;
/** Few-bit weights this many scales away still learn (Courbariaux et al., "BinaryConnect", 2015, clip likewise). */
const FEW_BITS_REACH = 3;

function tableOf(code: (step: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, i) => code(i - 128));
}

const linear = (low: number, high: number): CodeRule => ({
  table: tableOf((step) => Math.min(high, Math.max(low, step))),
  finer: 1,
  range: [low - 0.5, high + 0.5],
  steps: [low - 0.5, high + 0.5],
});

export function codeRule({ coding, data }: Tensor): CodeRule {
  const reach = [-FEW_BITS_REACH, FEW_BITS_REACH] as const;
  switch (coding) {
    case "int4":
      return linear(-8, 7);
    case "ternary":
      return { ...linear(-1, 1), range: reach };
    case "binary":
      // no weight is near a rounding, so the scale learns from the sums alone
      return { table: tableOf((step) => (step < 0 ? -1 : 1)), finer: SIGN_STEPS, range: reach, steps: [1, -1] };
    case "codebook": {
      const entries = [...new Set(data as Int8Array)].sort((a, b) => a - b);
      const nearest = (step: number): number =>
        entries.reduce((best, entry) => (Math.abs(entry - step) < Math.abs(best - step) ? entry : best));
      return { ...linear(entries[0]!, entries.at(-1)!), table: tableOf(nearest) };
    }
    default:
      return linear(-127, 127);
  }
}
