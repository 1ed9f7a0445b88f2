// One step as a flat list of kernel calls over fixed addresses: the forward pass, and the gradients of a loss.
// Invariant: nothing is allocated or decided while it runs; the order of calls and sums is the trace's, so the
// same memory gives the same bytes.
//
//   trace ─► forward calls ─► backward calls, last node first ─► arena plan ─► addresses

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { addressOf, type BoundCall, Emitter, fixed, type Place } from "./emitter.ts";
import type { Machine } from "./machine.ts";
import type { BackwardPass, Trace, Value } from "./trace.ts";

export interface ProgramOptions {
  /** what is read after a run */
  readonly outputs: readonly Value[];
  /** a value of one element whose gradients by every unfrozen parameter are to be made */
  readonly loss?: Value;
  /** inputs whose gradients are to be read after a run too */
  readonly inputGradients?: readonly Value[];
}

export class Program {
  readonly machine: Machine;
  readonly trace: Trace;
  /** bytes of the step's arena: inputs, activations, gradients of activations, scratch */
  readonly arenaBytes: number;
  readonly calls: readonly BoundCall[];
  readonly #places: readonly (Place | undefined)[];
  readonly #gradients: ReadonlyMap<number, Place>;

  constructor(machine: Machine, trace: Trace, options: ProgramOptions) {
    this.machine = machine;
    this.trace = trace;
    const emitter = new Emitter(fixed(machine.seedAddress));
    const needed = reachable(trace, [...options.outputs, ...(options.loss ? [options.loss] : [])]);
    const { places, saved } = emitForward(emitter, machine, trace, needed);
    for (const output of options.outputs) emitter.keepToEnd(places[output.id]!);
    this.#gradients = new Map();
    if (options.loss) {
      emitter.keepToEnd(places[options.loss.id]!);
      this.#gradients = emitBackward(emitter, machine, trace, options.loss, options.inputGradients ?? [], {
        places,
        saved,
      });
    }
    this.#places = places;
    this.arenaBytes = emitter.plan(machine.arenaBase);
    machine.kernels.reserve(machine.arenaBase + this.arenaBytes + 64);
    this.calls = emitter.bind(machine.kernels);
  }

  run(): void {
    for (const { run, args } of this.calls) run(...args);
  }

  /** Puts the input `name` in place: as many values as its shape has. */
  set(name: string, data: ArrayLike<number>): void {
    const value = this.trace.values.find((candidate) => candidate.kind === "input" && candidate.name === name);
    if (!value) throw new ToolError("BAD_INPUT", `the model has no input "${name}".`);
    const expected = elementCount(value.shape);
    if (data.length !== expected) {
      throw new ToolError(
        "BAD_INPUT",
        `input "${name}" needs ${expected} values, [${value.shape}], but got ${data.length}.`,
      );
    }
    const place = this.#places[value.id];
    if (!place) return; // nothing in this program reads it
    const { memory } = this.machine.kernels;
    const At = value.dtype === "int32" ? Int32Array : Float32Array;
    new At(memory.buffer, addressOf(place), expected).set(data);
  }

  /** A copy of one of the program's outputs, as the last run left it. */
  get(value: Value): Float32Array {
    return this.#read(this.#places[value.id]!, value);
  }

  /** The gradient of the loss by an input or parameter, after a run. */
  gradient(value: Value): Float32Array {
    const place = this.#gradients.get(value.id);
    if (!place) throw new ToolError("BAD_INPUT", `no gradient of "${value.name}" was asked for.`);
    return this.#read(place, value);
  }

  #read(place: Place, { shape }: Value): Float32Array {
    return new Float32Array(this.machine.kernels.memory.buffer, addressOf(place), elementCount(shape)).slice();
  }
}

/** Ids of what `ends` depend on. */
function reachable(trace: Trace, ends: readonly Value[]): Set<number> {
  const needed = new Set(ends.map(({ id }) => id));
  for (const value of [...trace.values].reverse()) {
    if (needed.has(value.id)) for (const input of value.inputs) needed.add(input.id);
  }
  return needed;
}

interface Forward {
  readonly places: (Place | undefined)[];
  readonly saved: (readonly Place[])[];
}

function emitForward(emitter: Emitter, machine: Machine, trace: Trace, needed: ReadonlySet<number>): Forward {
  const places: (Place | undefined)[] = [];
  const saved: (readonly Place[])[] = [];
  for (const value of trace.values) {
    saved.push([]);
    places.push(undefined);
    if (!needed.has(value.id)) continue;
    if (value.kind === "parameter") {
      places[value.id] = fixed(machine.addressOf(value.parameter!));
      continue;
    }
    const inputs = value.inputs.map(({ id }) => places[id]!);
    if (value.behaviour?.isAlias) {
      places[value.id] = inputs[0]!;
      continue;
    }
    const place = emitter.buffer(elementCount(value.shape));
    places[value.id] = place;
    if (value.kind === "input") emitter.keepFromStart(place);
    else saved[value.id] = value.behaviour?.forward?.(emitter, inputs, place) ?? [];
  }
  return { places, saved };
}

function emitBackward(
  emitter: Emitter,
  machine: Machine,
  trace: Trace,
  loss: Value,
  inputGradients: readonly Value[],
  { places, saved }: Forward,
): ReadonlyMap<number, Place> {
  if (elementCount(loss.shape) !== 1) {
    throw new ToolError("BAD_GRAPH", `the loss is [${loss.shape}] but must be one number; take a mean.`);
  }
  const wanted = new Set(inputGradients.map(({ id }) => id));
  const wants = new Set<number>();
  for (const value of trace.values) {
    const { parameter, behaviour } = value;
    const isLeaf = wanted.has(value.id) || (parameter && !parameter.isFrozen && !parameter.isStatistic);
    const passes = (behaviour?.backward || behaviour?.isAlias) && value.inputs.some(({ id }) => wants.has(id));
    if (isLeaf || passes) wants.add(value.id);
  }
  const gradients = new Map<number, Place>();
  if (!wants.has(loss.id)) return gradients;
  const written = new Set<number>();
  const one = emitter.buffer(1);
  emitter.call("fill", one, 1, 1);
  gradients.set(loss.id, one);

  /** Adds a share of a value's gradient: written straight to its place if it is the first, else summed anew. */
  const contribute = (value: Value, emitInto: ((place: Place) => void) | undefined, from: Place | undefined): void => {
    const size = elementCount(value.shape);
    const home = value.parameter ? fixed(machine.gradientAddressOf(value.parameter)) : undefined;
    const before = gradients.get(value.id);
    let place = from;
    if (emitInto) {
      place = before || !home ? emitter.buffer(size) : home;
      emitInto(place);
    }
    if (before) {
      const sum = home ?? emitter.buffer(size);
      emitter.call("add", before, place!, sum, 1, size);
      place = sum;
    } else if (home && place !== home) {
      emitter.call("copy", place!, home, size);
      place = home;
    }
    if (home) written.add(value.id);
    gradients.set(value.id, place!);
  };

  for (const value of [...trace.values].reverse()) {
    const dOutput = gradients.get(value.id);
    if (!dOutput || value.kind !== "node" || !wants.has(value.id)) continue;
    const needs = (input: number): boolean => wants.has(value.inputs[input]!.id);
    const pass: BackwardPass = {
      inputs: value.inputs.map(({ id }) => places[id]!),
      output: places[value.id]!,
      dOutput,
      saved: saved[value.id]!,
      needs,
      write: (input, emitInto) => {
        if (needs(input)) contribute(value.inputs[input]!, emitInto, undefined);
      },
      pass: (input, place) => {
        if (needs(input)) contribute(value.inputs[input]!, undefined, place);
      },
    };
    if (value.behaviour?.isAlias) pass.pass(0, dOutput);
    else value.behaviour?.backward?.(emitter, pass);
  }
  for (const value of trace.values) {
    const { parameter } = value;
    // a parameter that the loss does not depend on has a gradient of zeros
    if (parameter && wants.has(value.id) && !written.has(value.id)) {
      emitter.call("fill", fixed(machine.gradientAddressOf(parameter)), elementCount(value.shape), 0);
      gradients.set(value.id, fixed(machine.gradientAddressOf(parameter)));
    }
  }
  for (const value of inputGradients) {
    const place = gradients.get(value.id);
    if (place) emitter.keepToEnd(place);
  }
  return gradients;
}
