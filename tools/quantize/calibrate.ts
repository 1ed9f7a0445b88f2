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
  let padding: Padding | undefined;
  const see = (id: number, data: TensorData): void => {
    const { shape } = graph.tensors[id]!;
    const known = seen.get(id) ?? new Seen(observer, shape.length > 1 ? shape.at(-1)! : 0);
    seen.set(id, known);
    known.add(counted(data as Float32Array, shape, padding));
  };
  let sets = 0;
  for (const set of inputs) {
    checkSet(graph, set, sets++);
    padding = paddingOf(graph, set);
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

/** Of `rows` rows of a sequence the first `count` are there; the others only fill it up. */
interface Padding {
  readonly rows: number;
  readonly count: number;
}

/** As an input [1, rows] says that is a mask: ones, then zeros. */
function paddingOf(graph: Graph, set: readonly TensorData[]): Padding | undefined {
  for (const [i, id] of graph.inputs.entries()) {
    const { shape } = graph.tensors[id]!;
    if (shape.length !== 2 || shape[0] !== 1 || !onesFirst(set[i]!, shape[1]!)) continue;
    const count = Array.from(set[i]!, Number).indexOf(0);
    if (count > 0) return { rows: shape[1]!, count };
  }
  return undefined;
}

/** Whether each row of a mask is ones, then zeros. */
export function onesFirst(mask: TensorData, width: number): boolean {
  return Array.from(mask, Number).every(
    (value, at, all) => (value === 0 || value === 1) && (at % width === 0 || value <= all[at - 1]!),
  );
}

/** The values that are of rows that are there: what padding gives says nothing of the model's inputs. */
function counted(data: Float32Array, shape: readonly number[], padding: Padding | undefined): Float32Array {
  if (!padding || shape.length < 2) return data;
  const axis = shape[0] === 1 && shape.length > 2 ? 1 : 0;
  if (shape[axis] !== padding.rows) return data;
  return data.subarray(0, (data.length / padding.rows) * padding.count);
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
  /** largest magnitude of each index of the last axis */
  readonly #channels: Float32Array;

  constructor(observer: Observer, channels: number) {
    this.#observer = observer;
    this.#channels = new Float32Array(channels);
  }

  get isConstant(): boolean {
    return this.min === this.max;
  }

  add(data: Float32Array): void {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const channels = this.#channels;
    for (let i = 0, c = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
      const magnitude = Math.abs(value);
      if (magnitude > channels[c]!) channels[c] = magnitude;
      if (++c === channels.length) c = 0;
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
    const range = this.#average ?? rangeOf(this.#observer, this.#histogram, { min, max });
    return { ...range, channels: this.#channels };
  }
}
