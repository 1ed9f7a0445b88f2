// Which layer gets which weights under a budget: each layer's sensitivity to each choice, a greedy path from the most exact to the
// smallest, and the accuracy of every point on it. After Wang et al., "HAQ", 2019, with measured sensitivity for its agent.
// Invariant: bytes are those of the packed file and accuracy what `judge` says of the graph; ms, too, is what it says, so the
// same answers give the same choice.

import { ToolError } from "../errors.ts";
import { Difference } from "../evaluate/layerErrors.ts";
import type { Graph } from "../graph/graph.ts";
import { weightedLayers } from "./layers.ts";
import { parseWeights } from "./precision.ts";
import type { Rules } from "./rules.ts";
import { type Evidence, recodeWeights } from "./weights.ts";

export interface Judgement {
  /** of the packed file */
  readonly bytes: number;
  /** of one run */
  readonly ms: number;
  /** 0 … 1, on samples that decide (validation), not on those that are reported */
  readonly accuracy: number;
}

export interface SearchBudget {
  readonly maxBytes?: number;
  readonly maxMs?: number;
  /** then the smallest model that reaches it is taken */
  readonly minAccuracy?: number;
}

export interface SearchProblem {
  /** int8 */
  readonly graph: Graph;
  /** weights as "mote import --weights" has them, the most exact first */
  readonly choices: readonly string[];
  readonly budget: SearchBudget;
  /** a graph's first output, as real values, for each of some inputs */
  readonly outputs: (graph: Graph) => readonly Float32Array[];
  readonly judge: (graph: Graph) => Judgement;
  readonly evidence?: Evidence;
  readonly progress?: (what: string) => void;
}

/** layer → choice */
export type Assignment = ReadonlyMap<string, string>;

export interface Tried extends Judgement {
  readonly name: string;
  readonly assignment: Assignment;
  /** nothing tried is both no larger and more accurate */
  readonly isOnFront: boolean;
}

export interface Sensitivity {
  readonly layer: string;
  readonly choice: string;
  /** signal to error of the outputs with this one layer changed, dB */
  readonly sqnr: number;
  readonly bytes: number;
  readonly ms: number;
}

export interface SearchResult {
  readonly sensitivities: readonly Sensitivity[];
  readonly tried: readonly Tried[];
  readonly chosen: Tried;
  readonly graph: Graph;
}

/** Throws UNSUPPORTED where nothing that was tried is within the budget. */
export function searchPrecision(problem: SearchProblem): SearchResult {
  const { graph, choices, budget, progress = () => undefined } = problem;
  const layers = weightedLayers(graph).map(({ name }) => name);
  const [first, ...others] = choices;
  if (first === undefined || layers.length === 0)
    throw new ToolError("BAD_INPUT", `${graph.name}: there is nothing to choose; give choices and a net with weights.`);
  const made = (assignment: Assignment): Graph => recodeWeights(graph, rulesFor(assignment), problem.evidence);
  const uniform = (choice: string): Assignment => new Map(layers.map((layer) => [layer, choice]));
  const start = made(uniform(first));
  const reference = problem.outputs(start);
  const base = problem.judge(start);
  const sensitivities = layers.flatMap((layer) =>
    others.map((choice): Sensitivity => {
      progress(`${layer} as ${choice}`);
      const changed = made(new Map([...uniform(first), [layer, choice]]));
      const difference = new Difference();
      for (const [i, values] of problem.outputs(changed).entries()) difference.add(reference[i]!, values);
      const { bytes, ms } = problem.judge(changed);
      return { layer, choice, sqnr: difference.closeness.sqnr, bytes: base.bytes - bytes, ms: base.ms - ms };
    }),
  );
  const points = new Map<string, { name: string; assignment: Assignment }>();
  const add = (name: string, assignment: Assignment): void => {
    const key = [...assignment.values()].join();
    if (!points.has(key)) points.set(key, { name, assignment });
  };
  for (const choice of choices) add(`all ${choice}`, uniform(choice));
  const saves = ({ bytes, ms }: Sensitivity): number =>
    budget.maxMs !== undefined && budget.maxBytes === undefined ? ms : bytes;
  // most saved for the least error first; a layer may change again
  const order = sensitivities
    .filter((each) => saves(each) > 0)
    .sort((a, b) => 10 ** (-a.sqnr / 10) / saves(a) - 10 ** (-b.sqnr / 10) / saves(b));
  let assignment = uniform(first);
  for (const { layer, choice } of order) {
    assignment = new Map([...assignment, [layer, choice]]);
    add(describe(assignment, first), assignment);
  }
  // the largest saver alone, each way, and all others with it: what the path may have stepped over
  for (const { layer, choice } of sensitivities)
    add(`${layer} ${choice}`, new Map([...uniform(first), [layer, choice]]));
  const judged = [...points.values()].map((point) => {
    progress(point.name);
    return { ...point, ...problem.judge(made(point.assignment)) };
  });
  const tried = judged.map((point) => ({
    ...point,
    isOnFront: !judged.some(
      (other) =>
        other.bytes <= point.bytes &&
        other.accuracy >= point.accuracy &&
        (other.bytes < point.bytes || other.accuracy > point.accuracy),
    ),
  }));
  const chosen = choosePoint(tried, budget);
  return { sensitivities, tried, chosen, graph: made(chosen.assignment) };
}

function choosePoint(tried: readonly Tried[], { maxBytes, maxMs, minAccuracy }: SearchBudget): Tried {
  const fits = tried.filter(
    ({ bytes, ms, accuracy }) =>
      bytes <= (maxBytes ?? Infinity) && ms <= (maxMs ?? Infinity) && accuracy >= (minAccuracy ?? 0),
  );
  const better = (a: Tried, b: Tried): number =>
    minAccuracy === undefined
      ? b.accuracy - a.accuracy || a.bytes - b.bytes
      : a.bytes - b.bytes || b.accuracy - a.accuracy;
  const [best] = [...fits].sort(better);
  if (best) return best;
  const least = Math.min(...tried.map(({ bytes }) => bytes));
  const fastest = Math.min(...tried.map(({ ms }) => ms));
  const most = Math.max(...tried.map(({ accuracy }) => accuracy));
  throw new ToolError(
    "UNSUPPORTED",
    `nothing of the ${tried.length} variants is within the budget: the smallest has ${least} bytes, the fastest takes ${fastest.toPrecision(3)} ms, the most accurate reaches ${(most * 100).toFixed(2)} %; allow more, or more choices.`,
  );
}

const describe = (assignment: Assignment, first: string): string =>
  [...assignment]
    .filter(([, choice]) => choice !== first)
    .map(([layer, choice]) => `${layer} ${choice}`)
    .join(", ");

const rulesFor = (assignment: Assignment): Rules => ({
  default: parseWeights("keep", "default"),
  layers: [...assignment].map(([layer, choice]) => ({
    match: layer,
    pattern: new RegExp(`^${layer.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}$`, "u"),
    weights: parseWeights(choice, layer),
  })),
});
