// A float graph and some inputs → an integer graph: calibration, weights and activations on their grids, and the
// corrections asked for. The one entry to post-training quantization; each step is a file of its own in this folder.
// Invariant: a pure function: the same graph, inputs and options give the same integer graph.

import type { Graph, TensorData } from "../graph/graph.ts";
import { balanceChannels } from "./balance.ts";
import { calibrate, checkSet, onesFirst, type Ranges } from "./calibrate.ts";
import { correctBiases } from "./correctBias.ts";
import { equalize } from "./equalize.ts";
import { floatWeights } from "./floatWeights.ts";
import { weightedLayers } from "./layers.ts";
import { moments } from "./moments.ts";
import type { Observer } from "./observers.ts";
import { splitOutliers } from "./outlierPaths.ts";
import { quantizeGraph } from "./quantizeGraph.ts";
import type { Rules } from "./rules.ts";
import { recodeWeights } from "./weights.ts";

export interface PostTrainingOptions {
  /** whether weights of layers one after the other are brought to ranges of one size first; no unless said otherwise */
  readonly equalize?: boolean;
  /** how activation ranges follow from what was seen; mse unless said otherwise */
  readonly observer?: Observer;
  /** weights by layer name, rounded from the float weights; int8 by each channel's largest value unless said otherwise */
  readonly weights?: Rules;
  /**
   * nearest, or compensated: what each weight lost is made up for by the others (GPTQ); nearest unless said otherwise.
   * Compensated weights that `weights` leaves out are int8.
   */
  readonly rounding?: "nearest" | "compensated";
  /** whether biases take back what rounding moved the layers' mean outputs by; yes unless said otherwise */
  readonly biasCorrection?: boolean;
  /** names of nodes that stay float32 */
  readonly keepFloat?: (name: string) => boolean;
}

/**
 * `inputs`: calibration sets of one typed array an input of the graph; a hundred like those that the model will see are
 * plenty. Throws BAD_INPUT for sets of which nothing can be learned and for a rule that matches no layer.
 */
export function postTrainingQuantize(
  source: Graph,
  inputs: readonly (readonly TensorData[])[],
  options: PostTrainingOptions = {},
): Graph {
  const { observer = { kind: "mse" }, weights, rounding = "nearest", biasCorrection = true } = options;
  const { keepFloat = () => false } = options;
  for (const [i, set] of inputs.entries()) checkSet(source, set, i);
  const graph = options.equalize ? equalize(source, inputs) : source;
  const seen = (of: Graph): Ranges => calibrate(of, inputs, { observer });
  let [balanced, ranges] = [graph, seen(graph)];
  // each pass rests on the ranges of the graph before it
  for (const pass of [splitOutliers, balanceChannels]) {
    const next = pass(balanced, ranges, keepFloat);
    if (next !== balanced) ranges = seen(next);
    balanced = next;
  }
  const isPrefix = (input: number): boolean =>
    inputs.every((set) => onesFirst(set[graph.inputs.indexOf(input)]!, graph.tensors[input]!.shape.at(-1)!));
  const integer = quantizeGraph(balanced, ranges, { keepFloat, isPrefix });
  const isCompensated = rounding === "compensated";
  const rules = weights ?? (isCompensated ? { default: { kind: "int8" } as const, layers: [] } : undefined);
  const known = isCompensated && { moments: moments(integer, weightedLayers(integer), inputs) };
  const rounded = rules ? recodeWeights(integer, rules, { reals: floatWeights(balanced), ...known }) : integer;
  return biasCorrection ? correctBiases(rounded, balanced, inputs) : rounded;
}
