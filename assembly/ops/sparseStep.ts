// A step with sparse weights, whichever its operator: conv2d and fullyConnected share the kernels.
// Invariant: the operator's own words have been checked before the sparse ones are.

import { Dense, Op, Step } from "../abi";
import { field } from "../memory";
import { checkConv2dSparse, runConv2dSparse } from "./conv2dSparse";
import { checkSparseRows, runSparseRows } from "./sparseRows";

export function checkSparseStep(step: usize): i32 {
  if (field(step, Step.Op) == Op.Conv2d) return checkConv2dSparse(step);
  return checkSparseRows(step, field(step, Dense.InC), field(step, Dense.OutC));
}

export function runSparseStep(step: usize): void {
  if (field(step, Step.Op) == Op.Conv2d) runConv2dSparse(step);
  else runSparseRows(step, field(step, Dense.Rows), Dense.InC, Dense.OutC, Dense.OutZero);
}
