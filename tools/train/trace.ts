// The typed graph of one training or evaluation step: values, and the nodes that make them.
// Invariant: nodes are in execution order; shapes are static, every dimension ≥ 1; a parameter is one value of a
// trace however often it is used, and one array however many traces use it.

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import type { Place } from "./emitter.ts";
import { Random } from "./random.ts";

/** Where a value comes from. `train` has dropout and batch statistics, `infer` has neither. */
export type Mode = "train" | "infer";

export interface Value {
  readonly trace: Trace;
  readonly id: number;
  readonly kind: "input" | "parameter" | "node";
  /** the node's operator, or the kind again */
  readonly op: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  readonly inputs: readonly Value[];
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly behaviour: Behaviour | undefined;
  readonly parameter: Parameter | undefined;
}

/** What a node does. The kernels' order of arithmetic is their own; `reference` is plain float64. */
export interface Behaviour {
  /** the output is the input's bytes under another shape; then nothing is emitted */
  readonly isAlias?: boolean;
  /** emits the calls that write the output; returns what the backward pass needs besides inputs and output */
  forward?(emit: Emit, inputs: readonly Place[], output: Place): readonly Place[] | undefined;
  /** emits the gradient of each input that needs one; absent where no gradient passes */
  backward?(emit: Emit, pass: BackwardPass): void;
  /** the output from the inputs, in float64, written for reading: what tests differentiate numerically */
  reference(inputs: readonly Float64Array[]): Float64Array;
}

export interface Emit {
  /** one kernel call; places are resolved once the arena is planned */
  call(kernel: string, ...args: (number | Place)[]): void;
  /** room for `elements` four-byte values in the step's arena */
  buffer(elements: number): Place;
  /** what changes from step to step, in fixed places */
  readonly globals: { readonly seed: Place; readonly salt: () => number };
}

export interface BackwardPass {
  readonly inputs: readonly Place[];
  readonly output: Place;
  readonly dOutput: Place;
  readonly saved: readonly Place[];
  needs(input: number): boolean;
  /** calls `emitInto` with the place for that input's gradient, if it needs one */
  write(input: number, emitInto: (place: Place) => void): void;
  /** that input's gradient is what already lies at `place` */
  pass(input: number, place: Place): void;
}

/** Draws the initial values of a parameter. */
export type Initialiser = (random: Random, shape: readonly number[]) => Float32Array;

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** current values when no machine holds them: initial or loaded ones */
  data: Float32Array;
  /** running statistics are kept and saved but not trained */
  readonly isStatistic: boolean;
  /** weight decay shrinks it (weights, not biases or norms) */
  readonly decays: boolean;
  /** left as it is by training */
  isFrozen: boolean;
}

/** The parameters that several traces share. */
export class ParameterSet {
  readonly #random: Random;
  readonly #byName = new Map<string, Parameter>();

  constructor(seed = 0) {
    this.#random = new Random(seed).fork("parameters");
  }

  get all(): readonly Parameter[] {
    return [...this.#byName.values()];
  }

  get(name: string): Parameter | undefined {
    return this.#byName.get(name);
  }

  /** The parameter of that name, made on first use. Its initial values depend on seed, name and shape alone. */
  declare(
    name: string,
    shape: readonly number[],
    initialise: Initialiser,
    { isStatistic = false, decays = false } = {},
  ): Parameter {
    const known = this.#byName.get(name);
    if (known) {
      if (known.shape.join() === shape.join()) return known;
      throw new ToolError(
        "BAD_GRAPH",
        `parameter "${name}" is [${known.shape}] in one place and [${shape}] in another; a shared layer needs inputs of one shape.`,
      );
    }
    const data = initialise(this.#random.fork(name), shape);
    const parameter = { name, shape, data, isStatistic, decays, isFrozen: false };
    this.#byName.set(name, parameter);
    return parameter;
  }
}

export class Trace {
  readonly parameters: ParameterSet;
  readonly values: Value[] = [];
  /** values that were given a name: features to distil */
  readonly marks = new Map<string, Value>();
  #mode: Mode;
  readonly #parameterValues = new Map<Parameter, Value>();
  readonly #names = new Map<object, string>();
  readonly #taken = new Map<string, number>();
  #prefix = "";

  constructor(parameters: ParameterSet, mode: Mode) {
    this.parameters = parameters;
    this.#mode = mode;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** What `make` adds is as in inference: a teacher inside a training step. */
  asInference<T>(make: () => T): T {
    const outer = this.#mode;
    this.#mode = "infer";
    try {
      return make();
    } finally {
      this.#mode = outer;
    }
  }

  /** Names a value, with the prefix of `within`. */
  mark(name: string, value: Value): void {
    this.marks.set(this.#prefix + name, value);
  }

  input(name: string, shape: readonly number[], dtype: Value["dtype"] = "float32"): Value {
    return this.#add({ kind: "input", op: "input", name, shape, dtype, inputs: [], attrs: {} });
  }

  parameter(parameter: Parameter): Value {
    const known = this.#parameterValues.get(parameter);
    if (known) return known;
    const { name, shape } = parameter;
    const value = this.#add({
      kind: "parameter",
      op: "parameter",
      name,
      shape,
      dtype: "float32",
      inputs: [],
      attrs: {},
      parameter,
    });
    this.#parameterValues.set(parameter, value);
    return value;
  }

  node(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    behaviour: Behaviour,
    attrs: Readonly<Record<string, unknown>> = {},
  ): Value {
    const stranger = inputs.find(({ trace }) => trace !== this);
    if (stranger)
      throw new ToolError(
        "BAD_GRAPH",
        `${op}: "${stranger.name}" belongs to another trace; build one trace at a time.`,
      );
    return this.#add({
      kind: "node",
      op,
      name: `${op}_${this.values.length}`,
      shape,
      dtype: "float32",
      inputs,
      attrs,
      behaviour,
    });
  }

  /** A layer's name in this model: its own, or its kind and a number in order of first use. */
  nameOf(layer: object, kind: string): string {
    const known = this.#names.get(layer);
    if (known) return known;
    const full = this.#prefix + kind;
    const count = (this.#taken.get(full) ?? 0) + 1;
    this.#taken.set(full, count);
    const name = count === 1 ? full : `${full}${count}`;
    this.#names.set(layer, name);
    return name;
  }

  /** Layers that `make` uses for the first time get names that start with `prefix` and a point. */
  within<T>(prefix: string, make: () => T): T {
    const outer = this.#prefix;
    this.#prefix = `${outer}${prefix}.`;
    try {
      return make();
    } finally {
      this.#prefix = outer;
    }
  }

  #add(
    parts: Omit<Value, "trace" | "id" | "behaviour" | "parameter"> & Partial<Pick<Value, "behaviour" | "parameter">>,
  ): Value {
    const bad = parts.shape.find((size) => !Number.isInteger(size) || size < 1);
    if (bad !== undefined) {
      throw new ToolError(
        "BAD_GRAPH",
        `${parts.name}: the shape [${parts.shape}] has a dimension of ${bad}; every one must be 1 or more.`,
      );
    }
    if (elementCount(parts.shape) > 2 ** 28) {
      throw new ToolError(
        "BAD_GRAPH",
        `${parts.name}: [${parts.shape}] has more than 2^28 elements; use a smaller batch.`,
      );
    }
    const value: Value = { behaviour: undefined, parameter: undefined, ...parts, trace: this, id: this.values.length };
    this.values.push(value);
    return value;
  }
}

/** Throws BAD_GRAPH unless `condition`, with `op` before the message. */
export function expectShape(condition: boolean, op: string, message: string): asserts condition {
  if (!condition) throw new ToolError("BAD_GRAPH", `${op}: ${message}`);
}
