// What the float layers share: the blocks that simd/gemmFloat.ts reads, and the sums of the reference.
// Invariant: a sum starts at the bias and takes its products in order, each rounded to float32.

import { ToolError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";

const f32 = Math.fround;

/** Blocks of eight outputs over `k` inputs: `weight(n, i)` of output n and input i. */
export function floatBlocks(
  outputs: number,
  k: number,
  bias: ArrayLike<number> | undefined,
  weight: (n: number, i: number) => number,
  integer = false,
): Uint8Array {
  const blocks = Math.ceil(outputs / 8);
  const values = integer ? new Int32Array(blocks * (k + 1) * 8) : new Float32Array(blocks * (k + 1) * 8);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * (k + 1) * 8 + (n & 7);
    values[block] = bias?.[n] ?? 0;
    for (let i = 0; i < k; i++) values[block + (i + 1) * 8] = weight(n, i);
  }
  return new Uint8Array(values.buffer);
}

/** start + Σ a[atA + i] · b[atB + i·stepB], in order. */
export function dot(
  start: number,
  a: ArrayLike<number>,
  atA: number,
  b: ArrayLike<number>,
  atB: number,
  stepB: number,
  count: number,
): number {
  let sum = f32(start);
  for (let i = 0; i < count; i++) sum = f32(sum + f32(a[atA + i]! * b[atB + i * stepB]!));
  return sum;
}

/** Refuses weights or a bias that are not constant float32. */
export function requireConstant(tensor: Tensor | undefined, what: string, node: string): void {
  if (tensor && (!tensor.data || tensor.dtype !== "float32")) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: the ${what} "${tensor.name}" must be constant float32 but is ${tensor.data ? tensor.dtype : "computed"}; fold it into the model.`,
    );
  }
}
