// One operator of the file as its importer sees it: checked operands, options and constants, and
// `emit` to add nodes. Invariant: every refusal names the operator, the tensor, and what to do.

import type { Attributes, OpName, Quantization, Tensor } from "../../graph/graph.ts";
import type { GraphBuilder, Operand } from "./builder.ts";
import { typeName } from "./constants.ts";
import { damaged, type FileOperator, type FileTensor, type OptionsTable, quoted } from "./file.ts";
import { BuiltinOperator, type BuiltinOptions, TensorType } from "./generated/tflite.ts";
import { ADVICE, Obstacle } from "./obstacle.ts";

/** The dtypes of activations, and the integers each can hold. */
const ACTIVATIONS: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};
/** What QUANTIZE may also read and write: an accumulator's dtype. */
const INTEGERS: typeof ACTIVATIONS = { ...ACTIVATIONS, int32: [-(2 ** 31), 2 ** 31 - 1] };

export class OperatorContext {
  readonly builder: GraphBuilder;
  /** e.g. `CONV_2D "block1/conv" (operator 3)` */
  readonly label: string;
  /** the first output's name */
  readonly name: string;
  readonly inputCount: number;
  readonly outputCount: number;
  readonly #operator: FileOperator;

  constructor(builder: GraphBuilder, operator: FileOperator) {
    this.builder = builder;
    this.#operator = operator;
    const [first] = operator.outputs;
    this.name = first === undefined ? `operator_${operator.index}` : builder.fileTensor(first).name;
    this.label = `${operatorName(operator)} ${quoted(this.name)} (operator ${operator.index})`;
    this.inputCount = operator.inputs.length;
    this.outputCount = operator.outputs.length;
  }

  unsupported(what: string, advice: string = ADVICE.replace): Obstacle {
    return new Obstacle("UNSUPPORTED", `${this.label} ${what}`, advice);
  }

  contradiction(what: string): Obstacle {
    return new Obstacle("BAD_GRAPH", `${this.label} ${what}`, ADVICE.convert);
  }

  /** The operator's options; its format's defaults do not make sense, so they must be there. */
  options<T extends OptionsTable>(type: BuiltinOptions, table: T): T {
    const options = this.#operator.options(type, table);
    if (options === undefined) throw damaged(this.builder.file.name, `${this.label} has no options of its kind`);
    return options;
  }

  /** The operator's options, or undefined where leaving them out means the defaults. */
  optionalOptions<T extends OptionsTable>(type: BuiltinOptions, table: T): T | undefined {
    const options = this.#operator.options(type, table);
    if (options === undefined && this.#operator.optionsType !== 0) {
      throw damaged(this.builder.file.name, `${this.label} has the options of another operator`);
    }
    return options;
  }

  hasInput(position: number): boolean {
    return (this.#operator.inputs[position] ?? -1) >= 0;
  }

  /** The operand at an input, whatever its type. */
  input(position: number): Operand {
    return this.builder.operand(this.#fileIndex("input", position), this.label);
  }

  /** The file's own tensor at an input: for variables, which are no operands. */
  file(position: number): FileTensor {
    return this.builder.fileTensor(this.#fileIndex("input", position));
  }

  /** The scale that the file stores for an input, which the graph leaves out where it is redundant. */
  storedScale(position: number): Float32Array | undefined {
    return this.builder.fileTensor(this.#fileIndex("input", position)).quant?.scale;
  }

  /** An activation: int8, uint8 or int16, with one scale unless `bare`, which may be float32 too. May be a constant. */
  activation(position: number, bare: "quantized" | "bare" = "quantized"): Operand {
    return this.#activation(this.#fileIndex("input", position), bare, "input");
  }

  /** An output of the dtype of `like`. */
  output(position: number, like: Tensor, bare: "quantized" | "bare" = "quantized"): Operand {
    const output = this.#activation(this.#fileIndex("output", position), bare, "output");
    if (output.tensor.dtype !== like.dtype) {
      throw this.unsupported(
        `has ${like.dtype} input ${quoted(like.name)} but ${output.tensor.dtype} output ${quoted(output.tensor.name)}, expected one type`,
        ADVICE.quantize,
      );
    }
    return output;
  }

  /** Like an activation, but may also be int32. */
  integer(kind: "input" | "output", position: number): Operand {
    return this.#activation(this.#fileIndex(kind, position), "quantized", kind, INTEGERS);
  }

  /** The first output, whatever its type. */
  anyOutput(): Operand {
    return this.builder.operand(this.#fileIndex("output", 0), this.label);
  }

  /** The values of a constant int32 or int64 operand such as a shape; `role` names it in the refusal. */
  ints(position: number, role: string): number[] {
    const file = this.builder.fileTensor(this.#fileIndex("input", position));
    if (file.type !== TensorType.INT32 && file.type !== TensorType.INT64) {
      throw this.unsupported(
        `has ${role} ${quoted(file.name)} of type ${typeName(file.type)}, expected int32 or int64`,
      );
    }
    const known = this.builder.knownInts(file.index);
    if (known !== undefined) return [...known];
    const { tensor } = this.input(position);
    if (tensor.data === undefined) {
      throw this.unsupported(
        `has ${role} ${quoted(tensor.name)}, which is computed at run time, expected a constant`,
        "fix the shapes of the model's inputs and convert it again",
      );
    }
    if (tensor.data.length > 64)
      throw this.contradiction(`has ${tensor.data.length} values in ${role} ${quoted(tensor.name)}`);
    return Array.from(tensor.data, Number);
  }

  /** Whether `ints` has an answer. */
  isKnown(position: number): boolean {
    const index = this.#operator.inputs[position] ?? -1;
    if (index < 0) return false;
    const { bytes } = this.builder.fileTensor(index);
    return bytes !== undefined || this.builder.knownInts(index) !== undefined;
  }

  /** The first output is that operand: it needs no node. */
  pass(operand: Operand): void {
    this.builder.stand(this.#fileIndex("output", 0), operand);
  }

  /** The first output has these values: it needs no node. */
  know(values: readonly number[]): void {
    this.builder.know(this.#fileIndex("output", 0), values);
  }

  outputType(): TensorType | undefined {
    const [output] = this.#operator.outputs;
    return output === undefined ? undefined : this.builder.fileTensor(output).type;
  }

  int(position: number, role: string): number {
    const values = this.ints(position, role);
    const [value] = values;
    if (value === undefined || values.length !== 1)
      throw this.contradiction(`has ${values.length} values in ${role}, expected 1`);
    return value;
  }

  rank(operand: Operand, rank: number, role: string): void {
    const { name, shape } = operand.tensor;
    if (shape.length === rank) return;
    throw this.contradiction(`has ${role} ${quoted(name)} of shape [${shape}], expected ${rank} dimensions`);
  }

  /** A possibly negative axis, made non-negative. */
  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value;
    if (axis < 0 || axis >= rank) throw this.contradiction(`has axis ${value} for ${rank} dimensions`);
    return axis;
  }

  /** The declared shape must be what the operator computes. */
  expectShape(output: Operand, computed: readonly number[]): void {
    const declared = output.tensor.shape;
    if (declared.length === computed.length && declared.every((size, i) => size === computed[i])) return;
    throw this.contradiction(
      `declares output ${quoted(output.tensor.name)} as [${declared}], but computes [${computed}]`,
    );
  }

  /** For operators that move values without looking at them: both sides must read them alike. */
  sameQuantization(x: Operand, y: Operand): void {
    const [a, b] = [x.tensor.quant, y.tensor.quant];
    if (a === undefined && b === undefined) return;
    if (a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0]) return;
    const side = (quant: Quantization | undefined): string =>
      quant === undefined ? "none" : `scale ${quant.scale[0]}, zero point ${quant.zeroPoint[0]}`;
    throw this.contradiction(`keeps values, but its input has ${side(a)} and its output ${side(b)}`);
  }

  /** `name` is for all but the last node of an operator that becomes several. */
  emit<K extends OpName>(
    op: K,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    attrs: Attributes[K],
    name = this.name,
  ): void {
    const ids = (operands: readonly Operand[]): number[] => operands.map((operand) => operand.id);
    this.builder.emit(op, name, ids(inputs), ids(outputs), attrs);
  }

  /** For the operators x, weights, bias?. */
  emitWithBias<K extends OpName>(
    op: K,
    x: Operand,
    w: Operand,
    b: Operand | undefined,
    y: Operand,
    attrs: Attributes[K],
  ): void {
    this.builder.emit(op, this.name, [x.id, w.id, b?.id ?? -1], [y.id], attrs);
  }

  #fileIndex(kind: "input" | "output", position: number): number {
    const index = this.#operator[`${kind}s`][position] ?? -1;
    if (index < 0) throw this.contradiction(`lacks ${kind} ${position}`);
    return index;
  }

  #activation(fileIndex: number, bare: "quantized" | "bare", role: string, allowed = ACTIVATIONS): Operand {
    const operand = this.builder.operand(fileIndex, this.label);
    const { dtype, name, quant } = operand.tensor;
    const range = allowed[dtype];
    if (dtype === "float32" && bare === "bare") return operand;
    if (dtype === "float32") throw this.#float(role, name);
    if (range === undefined) {
      throw this.unsupported(
        `has ${role} ${quoted(name)} of type ${dtype}, expected ${Object.keys(allowed).join(", ")}`,
      );
    }
    const point = quant?.zeroPoint[0] ?? 0;
    if (quant === undefined) {
      if (bare === "bare") return operand;
      throw this.unsupported(`has ${role} ${quoted(name)} without a scale and zero point`, ADVICE.quantize);
    }
    if (quant.scale.length !== 1) {
      throw this.unsupported(
        `has ${role} ${quoted(name)} with ${quant.scale.length} scales, expected 1`,
        ADVICE.quantize,
      );
    }
    if (point < range[0] || point > range[1]) {
      throw this.contradiction(`has ${role} ${quoted(name)} of type ${dtype} with zero point ${point}`);
    }
    return operand;
  }

  #float(role: string, name: string): Obstacle {
    const narrow = this.#operator.inputs
      .filter((index) => index >= 0)
      .map((index) => this.builder.fileTensor(index))
      .find((tensor) => tensor.bytes !== undefined && tensor.quant !== undefined && tensor.type !== TensorType.INT32);
    const weights = narrow === undefined ? "" : ` beside ${typeName(narrow.type)} weights ${quoted(narrow.name)}`;
    return this.unsupported(
      `has float32 ${role} ${quoted(name)}${weights}, expected int8, uint8 or int16`,
      ADVICE.quantize,
    );
  }
}

/** The operator's name as the format has it, or the custom operator's own. */
export function operatorName(operator: FileOperator): string {
  if (operator.builtin === BuiltinOperator.CUSTOM) return `custom operator ${quoted(operator.customCode)}`;
  return BuiltinOperator[operator.builtin] ?? `operator code ${operator.builtin}`;
}
