// What the tests of operators made of a 256-byte table share. Invariant: all 256 inputs are tried.

import fc from "fast-check";
import { expect } from "vitest";
import type { DType, Node } from "../../tools/graph/graph.ts";
import { expectConformance } from "./conformance.ts";
import { activation, singleNode } from "./graphs.ts";

export interface Affine {
  readonly scale: number;
  readonly zero: number;
  readonly dtype?: DType;
}

/** Every byte of the input's dtype, three times: more than one vector, and an odd tail. */
function everyByte(dtype: DType): Int8Array | Uint8Array {
  const bytes = Uint8Array.from({ length: 3 * 256 + 5 }, (_, i) => i);
  return dtype === "uint8" ? bytes : new Int8Array(bytes.buffer);
}

/** Runs the operator on every build; returns inputs and outputs. */
export function runTable(
  node: Pick<Node, "op" | "attrs">,
  from: Affine,
  to: Affine,
): { x: Int8Array | Uint8Array; y: Int8Array | Uint8Array } {
  const dtype = from.dtype ?? "int8";
  const x = everyByte(dtype);
  const graph = singleNode(
    node,
    [activation("x", [x.length], from.scale, from.zero, dtype)],
    [activation("y", [x.length], to.scale, to.zero, to.dtype ?? "int8")],
  );
  const [y] = expectConformance(graph, [x]);
  return { x, y: y as Int8Array };
}

/** Every output is within `units` of the real function, which is clamped like the output. */
export function expectNear(
  node: Pick<Node, "op" | "attrs">,
  from: Affine,
  to: Affine,
  f: (x: number) => number,
  units: number,
): void {
  const { x, y } = runTable(node, from, to);
  const [least, most] = to.dtype === "uint8" ? [0, 255] : [-128, 127];
  for (const [i, value] of y.entries()) {
    const real = f((x[i]! - from.zero) * from.scale) / to.scale + to.zero;
    const wanted = Math.min(most, Math.max(least, real));
    expect(Math.abs(value - wanted), `f(${x[i]}) = ${value}, real ${wanted}`).toBeLessThanOrEqual(units);
  }
}

export const affine = fc.record({
  scale: fc.double({ min: -7, max: 0, noNaN: true }).map((exponent) => 2 ** exponent),
  zero: fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 0, 127)),
});
