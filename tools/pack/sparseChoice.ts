// Sparse or dense, layer by layer.

import type { Products } from "./blocks.ts";
import { findGroups, fitsNibbles, placesFit, type SegmentStart, type SparseGroups } from "./sparse.ts";

/** "auto": by cost; the others are for tests and measurements */
export type Sparsity = "auto" | "always" | "never";

export interface SparseChoice {
  readonly groups: SparseGroups;
  readonly nibbles: boolean;
}

export function chooseSparse(products: Products, start: SegmentStart, sparsity: Sparsity): SparseChoice | undefined {
  if (sparsity === "never" || !placesFit(products, start)) return undefined;
  const groups = findGroups(products);
  if (sparsity === "auto" && groups.density > 0.6) return undefined;
  return { groups, nibbles: fitsNibbles(products.weights) };
}
