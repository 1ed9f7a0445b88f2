// Runs a trace in float64 with every operator's plain reference. Invariant: knows nothing of kernels or memory,
// so it can judge them; slow.

import { ToolError } from "../errors.ts";
import type { Trace, Value } from "./trace.ts";

/** `values`: data of inputs and parameters, by name. Returns what `of` comes to. */
export function evaluateReference(
  trace: Trace,
  of: readonly Value[],
  values: ReadonlyMap<string, ArrayLike<number>>,
): Float64Array[] {
  const done: (Float64Array | undefined)[] = [];
  const needed = new Set(of.map(({ id }) => id));
  for (const value of [...trace.values].reverse()) {
    if (needed.has(value.id)) for (const { id } of value.inputs) needed.add(id);
  }
  for (const value of trace.values) {
    done.push(undefined);
    if (!needed.has(value.id)) continue;
    if (value.behaviour) {
      done[value.id] = value.behaviour.reference(value.inputs.map(({ id }) => done[id]!));
      continue;
    }
    const data = values.get(value.name) ?? value.parameter?.data;
    if (!data) throw new ToolError("BAD_INPUT", `the input "${value.name}" is missing.`);
    done[value.id] = Float64Array.from(data);
  }
  return of.map(({ id }) => done[id]!);
}
