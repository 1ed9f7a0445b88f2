// fullyConnected with int16 activations and int8 weights: out[r, n] = clamp(round(f64(bias[n] + Σk x[r, k] ·
// w[n, k]) · factor[n])), zero points 0; blocks and rule in numeric/wideSums.ts.
// Invariant: scratch holds the sums of simd/wideRows.ts.

import { Dense, Status, Step } from "../abi";
import { address, allWithin, canRead, canWrite, extent, field, hasParams, hasScratch } from "../memory";
import { WideRule, wideBlocksBytes, wideScalar } from "../numeric/wideSums";
import { WIDE_SUMS, wideRows, wideSetup } from "../simd/wideRows";

/** Most inputs of one output: keeps 32-bit sizes small, not a bound of the arithmetic. */
export const MAX_WIDE_K: i32 = 1 << 20;

export function checkFullyConnected16(step: usize): i32 {
  const rows = field(step, Dense.Rows),
    k = field(step, Dense.InC),
    n = field(step, Dense.OutC);
  if (rows < 1 || k < 1 || k > MAX_WIDE_K || n < 1) return Status.Shape;
  if (field(step, Dense.OutZero) != 0) return Status.Shape;
  if (!allWithin(step, Dense.Min, Dense.Max, -32768, 32767)) return Status.Shape;
  if (!canRead(step, Step.Input, extent(rows, k, 2))) return Status.Read;
  if (!canWrite(step, Step.Output, extent(rows, n, 2))) return Status.Write;
  if (!hasParams(step, wideBlocksBytes(n, (k + 1) >> 1))) return Status.Params;
  return hasScratch(step, WIDE_SUMS) ? Status.Ok : Status.Scratch;
}

export function runFullyConnected16(step: usize): void {
  const rows = field(step, Dense.Rows),
    k = field(step, Dense.InC),
    n = field(step, Dense.OutC);
  const low = field(step, Dense.Min),
    high = field(step, Dense.Max);
  const blocks = address(step, Step.Params);
  const rowBytes = (<usize>k) << 1;
  let input = address(step, Step.Input),
    output = address(step, Step.Output);
  if (ASC_FEATURE_SIMD) {
    wideSetup(address(step, Step.Scratch), WideRule.Float64, low, high);
    wideRows(input, rowBytes, rows, k, n, blocks, output);
  } else {
    for (let r = rows; r > 0; r--, input += rowBytes, output += (<usize>n) << 1) {
      wideScalar(input, output, blocks, k, n, WideRule.Float64, low, high);
    }
  }
}
