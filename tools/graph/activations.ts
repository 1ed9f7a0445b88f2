// Which fused activation a clamp of real values is, given what the output can say at all.
// Invariant: "none" where the output's own range lies inside the clamp, so that it changes nothing.

import { integerRange } from "../ops/quantization.ts";
import type { Activation, Tensor } from "./graph.ts";

const BOUNDS: readonly (readonly [Activation, number, number])[] = [
  ["none", Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ["relu", 0, Number.POSITIVE_INFINITY],
  ["relu6", 0, 6],
  ["reluN1To1", -1, 1],
];

/** Undefined where no activation does it. */
export function clampOf(
  { min, max }: { readonly min: number; readonly max: number },
  output: Tensor,
): Activation | undefined {
  if (output.quant?.scale.length !== 1) return undefined;
  const scale = output.quant.scale[0]!;
  const zero = output.quant.zeroPoint[0]!;
  const [least, most] = integerRange(output.dtype).map((code) => scale * (code - zero)) as [number, number];
  const changes = (low: number, high: number): string => `${low <= least ? "" : low},${high >= most ? "" : high}`;
  return BOUNDS.find(([, low, high]) => changes(low, high) === changes(min, max))?.[0];
}
