// Layer norm in int8 of simple operators: mean, difference, mean of squares, 1/√, two products and a sum.
// Invariant: each step has the range that calibration found for it.

import type { Value } from "../trace.ts";
import { affine, beforeShift } from "./builder.ts";
import type { Context } from "./exportInt8.ts";

/** Returns the tensor of `value`. */
export function layerNormNodes({ builder, ranges, tensor, make, data }: Context, value: Value): number {
  const [x, gamma, beta] = value.inputs as [Value, Value, Value];
  const n = value.shape.at(-1)!;
  const one = [...value.shape.slice(0, -1), 1];
  const last = value.shape.length - 1;
  const part = (name: string, shape: readonly number[]): number =>
    builder.activation(`${value.name}_${name}`, shape, affine(ranges.of(value, name)));
  const none = { activation: "none" } as const;
  const [mean, centred, squares] = [part("mean", one), part("centred", value.shape), part("squares", value.shape)];
  const [variance, inverse, normalized] = [
    part("variance", one),
    part("inverse", one),
    part("normalized", value.shape),
  ];
  const shifts = data(beta);
  const scaled = builder.activation(`${value.name}_scaled`, value.shape, affine(beforeShift(ranges.of(value), shifts)));
  const result = make(value);
  builder.node("mean", `${value.name}_mean`, [tensor(x)], [mean], { axes: [last], keepDims: true });
  builder.node("sub", `${value.name}_centred`, [tensor(x), mean], [centred], none);
  builder.node("mul", `${value.name}_squares`, [centred, centred], [squares], none);
  builder.node("mean", `${value.name}_variance`, [squares], [variance], { axes: [last], keepDims: true });
  builder.node("rsqrt", `${value.name}_inverse`, [variance], [inverse], {});
  builder.node("mul", `${value.name}_normalized`, [centred, inverse], [normalized], none);
  builder.node(
    "mul",
    `${value.name}_scaled`,
    [normalized, builder.constant(gamma.name, [n], data(gamma))],
    [scaled],
    none,
  );
  builder.node("add", value.name, [scaled, builder.constant(beta.name, [n], shifts)], [result], none);
  return result;
}
