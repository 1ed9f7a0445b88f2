// The ranges of a float graph's tensors over calibration inputs: minimum and maximum, or percentiles of them.
// Invariant: the graph runs on the core; the same inputs give the same ranges.

import { CoreRun } from "../evaluate/coreRun.ts";
import type { Graph, TensorData } from "../graph/graph.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** By tensor id; only float32 tensors that a node writes or that are inputs. */
export type Ranges = ReadonlyMap<number, Range>;

export interface CalibrateOptions {
  /** share of values inside the range of one input, in percent; 100 (the default) is minimum and maximum */
  readonly percentile?: number;
}

/** `inputs`: sets of one typed array an input of the graph. Throws BAD_INPUT where one does not fit. */
export function calibrate(
  graph: Graph,
  inputs: Iterable<readonly TensorData[]>,
  { percentile = 100 }: CalibrateOptions = {},
): Ranges {
  const real = (id: number): boolean => graph.tensors[id]!.dtype === "float32";
  const watched = [...new Set(graph.nodes.flatMap((node) => node.outputs))].filter(real);
  const run = new CoreRun({ ...graph, outputs: watched });
  const ranges = new Map<number, { min: number; max: number; runs: number }>();
  const see = (id: number, data: TensorData): void => {
    const { min, max } = extent(data as Float32Array, percentile);
    const known = ranges.get(id);
    if (!known) ranges.set(id, { min, max, runs: 1 });
    else if (percentile >= 100)
      ranges.set(id, { min: Math.min(known.min, min), max: Math.max(known.max, max), runs: known.runs + 1 });
    // tails are cut from each input, so the mean of what is left
    else
      ranges.set(id, {
        min: mean(known.min, min, known.runs),
        max: mean(known.max, max, known.runs),
        runs: known.runs + 1,
      });
  };
  for (const set of inputs) {
    for (const [i, id] of graph.inputs.entries()) if (real(id)) see(id, set[i]!);
    for (const [i, data] of run.run(set).entries()) see(watched[i]!, data);
  }
  return ranges;
}

const mean = (before: number, next: number, runs: number): number => (before * runs + next) / (runs + 1);

function extent(data: Float32Array, percentile: number): Range {
  if (percentile >= 100) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of data) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    return { min, max };
  }
  const sorted = Float32Array.from(data).sort();
  const cut = Math.floor(((100 - percentile) / 200) * sorted.length);
  return { min: sorted[cut]!, max: sorted[sorted.length - 1 - cut]! };
}
