// Builds the Mote graph while ONNX nodes are imported: tensors, nodes, folding of what is constant, and the two
// layouts of a value. Convolutions and pools take channels last; a value is brought to a layout when something
// first asks for it, so what is never asked for in ONNX's layout is never transposed.
// Invariant: every id is a tensor whose type its operator's own `check` computed; a node whose inputs are all
// constant becomes a constant.

import { ToolError } from "../../errors.ts";
import {
  type Attributes,
  type DType,
  elementCount,
  type Node,
  type OpName,
  type Quantization,
  type Tensor,
  type TensorData,
  zeros,
} from "../../graph/graph.ts";
import { makeNode } from "../../graph/node.ts";
import type { Value as FoldedValue } from "../../ops/operator.ts";
import { operatorFor } from "../../ops/registry.ts";
import { isFloatType } from "./tensors.ts";

/** A value of the ONNX graph. Its shape is ONNX's; integers other than quantized ones are carried as int32. */
export interface Value {
  readonly name: string;
  /** ONNX element type */
  readonly type: number;
  readonly shape: readonly number[];
  /** the tensor in ONNX's layout, and with the second axis brought to the end; at least one is known */
  plain?: number;
  last?: number;
  /** for a quantized value: the float32 tensor that it was made of, in ONNX's layout or channels last */
  source?: { readonly id: number; readonly isLast: boolean };
}

const MOST_ELEMENTS = 2 ** 28;
/** Constants up to this many elements are folded through any operator; larger ones only through moves. */
const MOST_FOLDED = 2 ** 22;
const MOVES: ReadonlySet<OpName> = new Set<OpName>([
  "reshape",
  "transpose",
  "stridedSlice",
  "concat",
  "split",
  "gather",
  "pad",
]);

export const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
export const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];

export class Builder {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  /** what nodes emitted now are named after */
  prefix = "";
  readonly #names = new Map<string, number>();
  readonly #scalars = new Map<string, number>();
  readonly #transposed = new Map<string, number>();

  add(tensor: Tensor): number {
    return this.tensors.push(tensor) - 1;
  }

  at(id: number): Tensor {
    return this.tensors[id]!;
  }

  constant(dtype: DType, shape: readonly number[], data: TensorData, quant?: Quantization): number {
    return this.add({ name: this.name("constant"), shape, dtype, data, ...(quant && { quant }) });
  }

  /** A float32 or int32 number that broadcasts against anything. */
  scalar(value: number, dtype: "float32" | "int32" = "float32"): number {
    const key = `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
    let id = this.#scalars.get(key);
    if (id === undefined) {
      id = this.constant(dtype, [], dtype === "float32" ? Float32Array.of(value) : Int32Array.of(value));
      this.#scalars.set(key, id);
    }
    return id;
  }

  ints(values: readonly number[]): number {
    return this.constant("int32", [values.length], Int32Array.from(values, saturate));
  }

  name(what: string): string {
    const base = this.prefix === "" ? what : this.prefix;
    const count = this.#names.get(base) ?? 0;
    this.#names.set(base, count + 1);
    return count === 0 ? base : `${base}/${count}`;
  }

  /** Emits a node, or computes it where all its inputs are constant. Returns its outputs' ids. */
  emit<K extends OpName>(
    op: K,
    inputs: readonly number[],
    attrs: Attributes[K],
    outputs = 1,
    quant?: Quantization,
    dtype: DType = "float32",
  ): number[] {
    const name = this.name(op);
    const operator = operatorFor(op);
    const given = inputs.map((id) => (id < 0 ? undefined : this.at(id)));
    const carried = quant ?? this.#carriedQuant(op, inputs, attrs);
    const provisional = Array.from(
      { length: outputs },
      (): Tensor => ({ name, shape: [], dtype, ...(carried && { quant: carried }) }),
    );
    const node = makeNode(op, name, inputs, [], attrs) as Node<K>;
    const types = operator.check(node, given, provisional);
    const tensors = types.map(({ shape, dtype: type }): Tensor => {
      if (shape.some((size) => size < 1)) {
        throw new ToolError(
          "UNSUPPORTED",
          `${name} gives an empty tensor [${shape}]; every dimension must be 1 or more.`,
        );
      }
      if (elementCount(shape) > MOST_ELEMENTS)
        throw new ToolError(
          "UNSUPPORTED",
          `${name} gives [${shape}], over ${MOST_ELEMENTS} elements; bind smaller dimensions.`,
        );
      return { name, shape, dtype: type, ...(carried && { quant: carried }) };
    });
    const largest = Math.max(
      ...given.map((tensor) => (tensor ? elementCount(tensor.shape) : 0)),
      ...tensors.map(({ shape }) => elementCount(shape)),
    );
    if (given.every((tensor) => tensor === undefined || tensor.data) && (MOVES.has(op) || largest <= MOST_FOLDED)) {
      const data = operator.reference(node, given as (FoldedValue | undefined)[], tensors);
      return tensors.map((tensor, i) => this.add({ ...tensor, data: data[i]! }));
    }
    const ids = tensors.map((tensor, i) => this.add(i === 0 ? tensor : { ...tensor, name: `${name}:${i}` }));
    this.nodes.push(makeNode(op, name, inputs, ids, attrs));
    return ids;
  }

  one<K extends OpName>(op: K, inputs: readonly number[], attrs: Attributes[K]): number {
    return this.emit(op, inputs, attrs)[0]!;
  }

  /** Moves keep the quantization; a transposition moves its axis. */
  #carriedQuant<K extends OpName>(op: K, inputs: readonly number[], attrs: Attributes[K]): Quantization | undefined {
    if (!MOVES.has(op)) return undefined;
    const { quant, data } = this.at(inputs[0]!);
    if (!quant || quant.scale.length === 1) return quant && (op !== "concat" || !data) ? quant : undefined;
    if (op !== "transpose") return undefined;
    return { ...quant, axis: (attrs as Attributes["transpose"]).permutation.indexOf(quant.axis) };
  }

  map(fn: Attributes["map"]["fn"], x: number, a = 0, b = 0): number {
    return this.one("map", [x], { fn, a, b });
  }

  zip(fn: Attributes["zip"]["fn"], a: number, b: number): number {
    return this.one("zip", [a, b], { fn });
  }

  reshape(x: number, shape: readonly number[]): number {
    const from = this.at(x).shape;
    return from.length === shape.length && from.every((size, i) => size === shape[i])
      ? x
      : this.one("reshape", [x], { shape });
  }

  transpose(x: number, permutation: readonly number[]): number {
    if (permutation.every((axis, i) => axis === i)) return x;
    const key = `${x}:${permutation}`;
    let id = this.#transposed.get(key);
    if (id === undefined) {
      id = this.one("transpose", [x], { permutation });
      this.#transposed.set(key, id);
    }
    return id;
  }

  /** The value's tensor in ONNX's layout. */
  plain(value: Value): number {
    value.plain ??= this.transpose(value.last!, toFirst(value.shape.length));
    return value.plain;
  }

  /** The value's tensor with the channels last: [N, …, C]. */
  last(value: Value): number {
    value.last ??= this.transpose(value.plain!, toLast(value.shape.length));
    return value.last;
  }

  /** The constant's numbers in ONNX's layout, or undefined where the value is computed. */
  numbers(value: Value): ArrayLike<number> | undefined {
    const id = value.plain ?? value.last!;
    return this.at(id).data
      ? (this.at(this.plain(value)).data as ArrayLike<number> & TensorData as Float32Array)
      : undefined;
  }

  zerosLike(shape: readonly number[], dtype: DType = "float32"): number {
    return this.constant(dtype, shape, zeros(dtype, elementCount(shape)));
  }
}

/** int64 is carried as int32: what lies outside (ends like INT64_MAX) becomes the nearest that there is. */
export function saturate(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}

/** The dtype that carries an ONNX element type. */
export function carrier(type: number): "float32" | "int32" {
  return isFloatType(type) ? "float32" : "int32";
}
