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
  readonly #ranges = new Map<string, Range>();

  widen(key: string, values: ArrayLike<number>): void {
    const range = this.#ranges.get(key) ?? { low: 0, high: 0 };
    for (let i = 0; i < values.length; i++) {
      range.low = Math.min(range.low, values[i]!);
      range.high = Math.max(range.high, values[i]!);
    }
    this.#ranges.set(key, range);
  }

  /** `part` names something inside an operator that has no value of its own in the trace */
  of(value: Value, part = ""): Range {
    const range = this.#ranges.get(keyOf(value, part));
    if (!range) throw new Error(`no range of ${value.name} ${part}`);
    return range;
  }
}

const keyOf = ({ id }: Value, part: string): string => `${id} ${part}`;

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
    ranges.widen(keyOf(input, ""), x);
    program.set(input.name, x);
    program.run();
    for (const node of nodes) {
      ranges.widen(keyOf(node, ""), program.get(node));
      if (node.op === "layerNorm") {
        const from = node.inputs[0]!;
        layerNormParts(from === input ? x : program.get(from), node, (part, values) =>
          ranges.widen(keyOf(node, part), values),
        );
      }
    }
  }
  return ranges;
}

/** What lies between input and output of a layer norm, where it is made of simple operators. */
function layerNormParts(x: Float32Array, node: Value, widen: (part: string, values: ArrayLike<number>) => void): void {
  const n = node.shape.at(-1)!;
  const epsilon = node.attrs.epsilon as number;
  for (let r = 0; r < x.length; r += n) {
    const row = x.subarray(r, r + n);
    const mean = row.reduce((sum, v) => sum + v, 0) / n;
    const centred = row.map((v) => v - mean);
    const squares = centred.map((v) => v * v);
    const variance = squares.reduce((sum, v) => sum + v, 0) / n + epsilon;
    widen("mean", [mean]);
    widen("centred", centred);
    widen("squares", squares);
    widen("variance", [variance]);
    widen("inverse", [1 / Math.sqrt(variance)]);
    widen(
      "normalized",
      centred.map((v) => v / Math.sqrt(variance)),
    );
  }
}
