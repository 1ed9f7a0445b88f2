// What an operator's importer is given: the node's inputs as values, its attributes by name, and the builder.
// Invariant: an importer either sets every output that the node names, or throws an Obstacle or a ToolError.

import type { Quantization } from "../../graph/graph.ts";
import type { Builder, Value } from "./builder.ts";
import { carrier } from "./builder.ts";
import { type FileNode, nodeName } from "./file.ts";
import { Obstacle } from "./obstacle.ts";
import { type Numbers, numbersOf } from "./tensors.ts";

export type Importer = (op: OnnxNode) => void;

export class OnnxNode {
  readonly build: Builder;
  readonly file: FileNode;
  readonly opset: number;
  readonly values: Map<string, Value>;
  readonly folder: string | undefined;

  constructor(build: Builder, file: FileNode, opset: number, values: Map<string, Value>, folder: string | undefined) {
    this.build = build;
    this.file = file;
    this.opset = opset;
    this.values = values;
    this.folder = folder;
  }

  get name(): string {
    return nodeName(this.file);
  }

  get count(): number {
    return this.file.input.length;
  }

  optional(index: number): Value | undefined {
    const name = this.file.input[index];
    return name ? this.values.get(name) : undefined;
  }

  input(index: number): Value {
    const value = this.optional(index);
    if (!value) throw new Obstacle(`input ${index} is missing`, "export the model again");
    return value;
  }

  /** The input's tensor in ONNX's layout. */
  x(index = 0): number {
    return this.build.plain(this.input(index));
  }

  /** Whether an input is worth taking channels last: it is only known so. */
  prefersLast(...values: readonly (Value | undefined)[]): boolean {
    return values.some((value) => value && value.last !== undefined && value.plain === undefined);
  }

  constantOf(value: Value, what: string): ArrayLike<number> {
    const data = this.build.numbers(value);
    if (!data)
      throw new Obstacle(
        `${what} "${value.name}" is computed, but a plan needs it beforehand`,
        "make it a constant of the model",
        value.name,
      );
    return data;
  }

  /** Numbers of an input that must be constant; undefined where it is left out. */
  numbers(index: number, what: string): number[] | undefined {
    const value = this.optional(index);
    return value && Array.from(this.constantOf(value, what));
  }

  #attribute(name: string) {
    return this.file.attribute.find((attribute) => attribute.name === name);
  }

  has(name: string): boolean {
    return this.#attribute(name) !== undefined;
  }

  int(name: string, fallback: number): number {
    return this.#attribute(name)?.i ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.#attribute(name)?.f ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name)?.ints;
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name)?.floats;
  }

  text(name: string, fallback: string): string {
    const bytes = this.#attribute(name)?.s;
    return bytes ? new TextDecoder().decode(bytes) : fallback;
  }

  texts(name: string): readonly string[] {
    return (this.#attribute(name)?.strings ?? []).map((bytes) => new TextDecoder().decode(bytes));
  }

  tensor(name: string): Numbers | undefined {
    const tensor = this.#attribute(name)?.t;
    return tensor ? numbersOf(tensor, `the attribute ${name} of "${this.name}"`, this.folder) : undefined;
  }

  /** A list of axes or sizes that newer opsets take as an input and older ones as an attribute. */
  listed(name: string, index: number): number[] | undefined {
    const attribute = this.ints(name);
    return attribute ? [...attribute] : this.numbers(index, name);
  }

  axis(fallback: number, rank: number, name = "axis"): number {
    return this.wrap(this.int(name, fallback), rank);
  }

  wrap(axis: number, rank: number): number {
    const at = axis < 0 ? axis + rank : axis;
    if (at < 0 || at > Math.max(rank - 1, 0))
      throw new Obstacle(`axis ${axis} is none of ${rank}`, "export the model again");
    return at;
  }

  unsupported(
    what: string,
    advice = "replace it in the source model, or leave it out and compute it outside",
  ): Obstacle {
    return new Obstacle(what, advice);
  }

  wants(output: number): boolean {
    return Boolean(this.file.output[output]);
  }

  /** Sets an output from its tensor in ONNX's layout. */
  set(output: number, id: number, type: number): Value | undefined {
    return this.#put(output, { name: "", type, shape: this.build.at(id).shape, plain: id });
  }

  /** Sets an output from its tensor with the channels last. */
  setLast(output: number, id: number, type: number): Value | undefined {
    const [batch, ...rest] = this.build.at(id).shape as [number, ...number[]];
    return this.#put(output, { name: "", type, shape: [batch, rest.at(-1)!, ...rest.slice(0, -1)], last: id });
  }

  /** Sets an output from a tensor in the layout that `isLast` says. */
  setIn(isLast: boolean, output: number, id: number, type: number): Value | undefined {
    return isLast ? this.setLast(output, id, type) : this.set(output, id, type);
  }

  setValue(output: number, value: Value): void {
    this.#put(output, { ...value });
  }

  setNumbers(output: number, { type, shape, data }: Numbers, quant?: Quantization): void {
    const dtype = carrier(type);
    const array =
      dtype === "float32"
        ? Float32Array.from(data)
        : Int32Array.from(data, (value) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
    this.set(output, this.build.constant(dtype, shape, array, quant), type);
  }

  #put(output: number, value: Value): Value | undefined {
    const name = this.file.output[output];
    if (!name) return undefined;
    const named = { ...value, name };
    this.values.set(name, named);
    return named;
  }
}
