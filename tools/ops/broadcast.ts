// NumPy broadcasting: the output's shape, and the four axes that the core walks.
// Invariant: the merged axes visit the same cells in the same order as the original ones.

import { Binary } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";

/** Axes that the core's binary steps have. */
const AXES = 4;

export interface BroadcastAxis {
  readonly size: number;
  /** elements from one index to the next; 0 repeats */
  readonly aStride: number;
  readonly bStride: number;
}

/** The shape of a ∘ b. Throws BAD_GRAPH where the shapes do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[], node: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const sizeA = a[i - rank + a.length] ?? 1;
    const sizeB = b[i - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node}: shapes [${a}] and [${b}] do not broadcast; each pair of sizes, from the last, must be equal or have a 1.`,
      );
    }
    return Math.max(sizeA, sizeB);
  });
}

/** One axis for each of the output's, outermost first. */
export function broadcastAxes(a: readonly number[], b: readonly number[], output: readonly number[]): BroadcastAxis[] {
  const axes: BroadcastAxis[] = [];
  let cellsA = 1;
  let cellsB = 1;
  for (let fromEnd = 1; fromEnd <= output.length; fromEnd++) {
    const sizeA = a.at(-fromEnd) ?? 1;
    const sizeB = b.at(-fromEnd) ?? 1;
    // `at` wraps: past the front there is no axis.
    const hasA = fromEnd <= a.length && sizeA > 1;
    const hasB = fromEnd <= b.length && sizeB > 1;
    axes.unshift({ size: output.at(-fromEnd)!, aStride: hasA ? cellsA : 0, bStride: hasB ? cellsB : 0 });
    if (hasA) cellsA *= sizeA;
    if (hasB) cellsB *= sizeB;
  }
  return axes;
}

/** Exactly four axes, neighbours merged where both inputs step through them as through one. Throws UNSUPPORTED where four are not enough. */
export function mergedAxes(
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
  node: string,
): BroadcastAxis[] {
  const merged: BroadcastAxis[] = [];
  for (const axis of broadcastAxes(a, b, output)) {
    if (axis.size === 1) continue;
    const outer = merged.at(-1);
    const joins = outer && outer.aStride === axis.aStride * axis.size && outer.bStride === axis.bStride * axis.size;
    if (joins) merged.splice(-1, 1, { ...axis, size: outer.size * axis.size });
    else merged.push(axis);
  }
  if (merged.length > AXES) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: broadcasting [${a}] with [${b}] needs ${merged.length} separate axes but at most ${AXES} are supported; reshape the inputs so that repeated axes lie together.`,
    );
  }
  while (merged.length < AXES) merged.unshift({ size: 1, aStride: 0, bStride: 0 });
  return merged;
}

/** The fields of a binary step that say its shape. */
export function shapeFields(axes: readonly BroadcastAxis[]): (readonly [number, number])[] {
  return axes.flatMap((axis, i): (readonly [number, number])[] => [
    [Binary.Dim0 + i, axis.size],
    [Binary.AStride0 + i, axis.aStride],
    [Binary.BStride0 + i, axis.bStride],
  ]);
}
