// The ranges of a float graph's tensors over calibration inputs, as an observer makes them of the values seen.
// Invariant: the graph runs on the core; the same inputs give the same ranges; inputs of which nothing could be learned
// are refused in one sentence.

import { ToolError } from "../errors.ts";
import { CoreRun } from "../evaluate/coreRun.ts";
import { elementCount, type Graph, type TensorData, zeros } from "../graph/graph.ts";
import { Histogram } from "./histogram.ts";
import { needsHistogram, type Observer, type Range, rangeOf } from "./observers.ts";

export type { Range } from "./observers.ts";

/** By tensor id; only float32 tensors that a node writes or that are inputs. */
export type Ranges = ReadonlyMap<number, Range>;

export interface CalibrateOptions {
  /** minimum and maximum unless said otherwise */
  readonly observer?: Observer;
}

/**
 * `inputs`: sets of one typed array an input of the graph. Throws BAD_INPUT for no sets, for arrays of another type or
 * length, for values that are not finite, and where all sets together hold one value only.
 */
export function calibrate(
  graph: Graph,
  inputs: Iterable<readonly TensorData[]>,
  { observer = { kind: "minmax" } }: CalibrateOptions = {},
): Ranges {
  const real = (id: number): boolean => graph.tensors[id]!.dtype === "float32";
  const watched = [...new Set(graph.nodes.flatMap((node) => node.outputs))].filter(real);
  const run = new CoreRun({ ...graph, outputs: watched });
  const seen = new Map<number, Seen>();
  const see = (id: number, data: TensorData): void => {
    const known = seen.get(id) ?? new Seen(observer);
    seen.set(id, known);
    known.add(data as Float32Array);
  };
  let sets = 0;
  for (const set of inputs) {
    checkSet(graph, set, sets++);
    for (const [i, id] of graph.inputs.entries()) if (real(id)) see(id, set[i]!);
    for (const [i, data] of run.run(set).entries()) see(watched[i]!, data);
  }
  if (sets === 0) {
    throw new ToolError(
      "BAD_INPUT",
      "the calibration set is empty; give some inputs like those that the model will see.",
    );
  }
  const ports = graph.inputs.filter((id) => real(id) && elementCount(graph.tensors[id]!.shape) > 1);
  if (ports.length > 0 && ports.every((id) => seen.get(id)!.isConstant)) {
    throw new ToolError(
      "BAD_INPUT",
      `the calibration set is constant: input "${graph.tensors[ports[0]!]!.name}" is ${seen.get(ports[0]!)!.min} everywhere in all ${sets} sets, so no range can be learned; give inputs like those that the model will see.`,
    );
  }
  return new Map([...seen].map(([id, values]) => [id, values.range()]));
}

/** Throws BAD_INPUT where a set does not fit the graph's inputs; `index` is its place, for the message. */
export function checkSet(graph: Graph, set: readonly TensorData[], index: number): void {
  for (const [i, id] of graph.inputs.entries()) {
    const { name, dtype, shape } = graph.tensors[id]!;
    const given = set[i];
    const count = elementCount(shape);
    const refuse = (what: string, todo: string): never => {
      throw new ToolError("BAD_INPUT", `calibration set ${index + 1}: input "${name}" ${what}; ${todo}.`);
    };
    if (given?.length !== count) {
      refuse(`needs ${count} values ([${shape}]) but got ${given?.length ?? "none"}`, "give one whole input a set");
    }
    const wanted = zeros(dtype, 0).constructor;
    if (given!.constructor !== wanted) {
      refuse(`is ${dtype} but got a ${given!.constructor.name}`, `give a ${wanted.name}`);
    }
    if (!(given instanceof Float32Array)) continue;
    const at = given.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) refuse(`holds ${given[at]} at value ${at}, expected finite numbers`, "leave this set out or mend it");
  }
}

/** What was seen of one tensor. */
class Seen {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #average: Range | undefined;
  readonly #histogram = new Histogram();
  readonly #observer: Observer;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  get isConstant(): boolean {
    return this.min === this.max;
  }

  add(data: Float32Array): void {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    if (this.#observer.kind === "average") {
      const { momentum } = this.#observer;
      const before = this.#average ?? { min, max };
      this.#average = {
        min: momentum * before.min + (1 - momentum) * min,
        max: momentum * before.max + (1 - momentum) * max,
      };
    }
    // infinities (masks) are left as they are seen: what they say is left in float
    const most = Math.max(-min, max);
    if (needsHistogram(this.#observer) && Number.isFinite(most)) this.#histogram.add(data, most);
  }

  range(): Range {
    const { min, max } = this;
    if (!Number.isFinite(min) || !Number.isFinite(max)) return { min, max };
    return this.#average ?? rangeOf(this.#observer, this.#histogram, { min, max });
  }
}
