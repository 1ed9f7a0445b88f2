// Sparse or dense, layer by layer, and why. Invariant: a layer is laid out sparse only where that gives the dense
// kernels' bytes and, unless it is forced, wins by the cost model (sparseCost.ts).

import { largestResults, type Products } from "./blocks.ts";
import { findGroups, fitsNibbles, placesFit, type SegmentStart, type SparseGroups } from "./sparse.ts";
import { type Layer, sparseGain } from "./sparseCost.ts";

/** "byCost", as `pack` does; the others are for tests and measurements. */
export type Sparsity = "byCost" | "always" | "never";

export interface SparseChoice {
  /** absent: dense */
  readonly groups?: SparseGroups;
  /** four bits a weight */
  readonly nibbles: boolean;
  /** for `explain`; empty where no group is zero */
  readonly why: string;
}

/** Less than this is within what the model is wrong by. */
const LEAST_GAIN = 1.05;
/** The sparse kernels' requantization is exact below 2²²; half of that leaves room for its rounding. */
const MOST_RESULT = 2 ** 21;

const DENSE: SparseChoice = { nibbles: false, why: "" };

/** `products` fit int8 blocks (not `needsWide`). */
export function chooseSparse(
  products: Products,
  start: SegmentStart,
  layer: Omit<Layer, "macs">,
  sparsity: Sparsity,
): SparseChoice {
  if (sparsity === "never") return DENSE;
  const groups = findGroups(products);
  if (sparsity === "byCost" && groups.density === 1) return DENSE;
  const zero = `${Math.round(100 * (1 - groups.density))} % of its groups are zero`;
  if (!placesFit(products, start)) return { ...DENSE, why: `${zero}, but not where the sparse kernel can read` };
  if (largestResults(products) > MOST_RESULT) return { ...DENSE, why: `${zero}, but its results may be too large` };
  const whole = { ...layer, macs: products.segments * products.cells };
  // four bits are smaller always, but faster not everywhere: weights that only happen to be so small stay int8 where they are not
  const fits = fitsNibbles(products.weights);
  const nibbles =
    fits && (layer.int4 || sparseGain(whole, groups.density, true) >= sparseGain(whole, groups.density, false));
  const gain = sparseGain(whole, groups.density, nibbles);
  const why = `${zero}, sparse × ${gain.toFixed(2)}`;
  if (sparsity === "byCost" && gain < LEAST_GAIN) return { ...DENSE, why };
  return { groups, nibbles, why };
}
