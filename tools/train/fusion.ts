// Several trained nets as one: members side by side whose outputs are averaged, or their weights averaged.
// Invariant: a member's parameters have its name before their own, so trained weights find their places.

import { ToolError } from "../errors.ts";
import type { Layer } from "./layers.ts";
import * as ops from "./ops/index.ts";

export type Weights = ReadonlyMap<string, Float32Array>;

/** `inner` with `name.` before the names of its layers. */
export const named =
  (name: string, inner: Layer): Layer =>
  (x) =>
    x.trace.within(name, () => inner(x));

/** The mean of the members' outputs; member i is called "member<i>". */
export const ensemble =
  (members: readonly Layer[]): Layer =>
  (x) => {
    const outputs = members.map((member, i) => named(`member${i}`, member)(x));
    return ops.scale(
      outputs.reduce((sum, output) => ops.add(sum, output)),
      1 / outputs.length,
    );
  };

/** The weights of `ensemble` from those of its members, each trained alone. */
export const ensembleWeights = (members: readonly Weights[]): Weights =>
  new Map(members.flatMap((member, i) => [...member].map(([name, data]) => [`member${i}.${name}`, data] as const)));

/** The mean of several runs' weights: of one net from one start, such as checkpoints or fine-tunings. */
export function averageWeights(runs: readonly Weights[]): Weights {
  const [first, ...others] = runs;
  if (!first) throw new ToolError("BAD_INPUT", "there are no weights to average; give at least one run.");
  return new Map(
    [...first].map(([name, data]) => {
      const sum = Float64Array.from(data);
      for (const other of others) {
        const more = other.get(name);
        if (more?.length !== sum.length) {
          throw new ToolError(
            "BAD_INPUT",
            `"${name}" has ${sum.length} values in one run and ${more?.length ?? "none"} in another; average runs of one net.`,
          );
        }
        more.forEach((value, i) => {
          sum[i]! += value;
        });
      }
      return [name, Float32Array.from(sum, (value) => value / runs.length)];
    }),
  );
}
