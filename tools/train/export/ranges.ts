// What values a net really takes: the smallest and largest of each value over calibration samples.
// Invariant: ranges include 0, so that zero is exact; they depend on the weights and the samples alone.

import { elementCount } from "../../graph/graph.ts";
import type { Machine } from "../machine.ts";
import type { Samples } from "../samples.ts";
import type { Trace, Value } from "../trace.ts";

export interface Range {
  low: number;
  high: number;
}

export class Ranges {
  readonly #ranges = new Map<Value, Range>();

  widen(value: Value, data: ArrayLike<number>): void {
    const range = this.#ranges.get(value) ?? { low: 0, high: 0 };
    for (let i = 0; i < data.length; i++) {
      range.low = Math.min(range.low, data[i]!);
      range.high = Math.max(range.high, data[i]!);
    }
    this.#ranges.set(value, range);
  }

  of(value: Value): Range {
    const range = this.#ranges.get(value);
    if (!range) throw new Error(`no range of ${value.name}`);
    return range;
  }
}

/** Runs `count` samples, spread evenly, through an inference trace of one sample. */
export function measureRanges(
  machine: Machine,
  trace: Trace,
  input: Value,
  output: Value,
  samples: Samples,
  count: number,
): Ranges {
  const nodes = trace.values.filter(
    (value) => value.kind === "node" && value.id <= output.id && value.dtype === "float32",
  );
  const program = machine.compile(trace, { outputs: nodes });
  const ranges = new Ranges();
  const size = elementCount(samples.shape);
  const taken = Math.min(count, samples.count);
  for (let i = 0; i < taken; i++) {
    const from = Math.floor((i * samples.count) / taken) * size;
    const x = samples.x.subarray(from, from + size);
    ranges.widen(input, x);
    program.set(input.name, x);
    program.run();
    for (const node of nodes) ranges.widen(node, program.get(node));
  }
  return ranges;
}
