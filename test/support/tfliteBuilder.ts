// Builds small TFLite files for tests with the schema's own builders.
// Invariant: what it writes is a well-formed file, whatever nonsense the model says.

import { Builder } from "flatbuffers";
import {
  Buffer,
  type BuiltinOperator,
  type BuiltinOptions,
  Model,
  Operator,
  OperatorCode,
  QuantizationParameters,
  SubGraph,
  Tensor,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";

export interface TensorSpec {
  readonly name?: string;
  readonly shape: readonly number[];
  /** INT8 when left out */
  readonly type?: TensorType;
  /** one, or one per index of `axis`; 8- and 16-bit tensors have 0.5 when left out; null for none */
  readonly scale?: number | readonly number[] | null;
  readonly zeroPoint?: number | readonly number[];
  readonly axis?: number;
  readonly data?: ArrayBufferView;
  readonly variable?: boolean;
}

/** A union member: its type and what writes it. */
export type Options = readonly [type: BuiltinOptions, write: (builder: Builder) => number];

export interface OperatorSpec {
  readonly builtin: BuiltinOperator;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Options;
  readonly customCode?: string;
  readonly version?: number;
}

const SCALED: ReadonlySet<TensorType> = new Set([TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT4]);

export class TfliteBuilder {
  readonly #tensors: TensorSpec[] = [];
  readonly #operators: OperatorSpec[] = [];

  tensor(spec: TensorSpec): number {
    return this.#tensors.push(spec) - 1;
  }

  /** A constant int32 vector, or a scalar from a number. */
  ints(values: number | readonly number[], name = "ints"): number {
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [list.length];
    return this.tensor({ name, shape, type: TensorType.INT32, data: Int32Array.from(list) });
  }

  operator(
    builtin: BuiltinOperator,
    inputs: readonly number[],
    outputs: readonly number[],
    options?: Options,
    more: Partial<OperatorSpec> = {},
  ): void {
    this.#operators.push({ builtin, inputs, outputs, ...(options === undefined ? {} : { options }), ...more });
  }

  build(
    inputs: readonly number[],
    outputs: readonly number[],
    more: { subgraphs?: number; version?: number } = {},
  ): Uint8Array {
    const b = new Builder(1024);
    const buffers = [this.#buffer(b, undefined), ...this.#tensors.map((tensor) => this.#buffer(b, tensor.data))];
    const tensors = this.#tensors.map((tensor, i) => this.#tensor(b, tensor, i));
    const operators = this.#operators.map((operator, i) => this.#operator(b, operator, i));
    const codes = this.#operators.map((operator) => this.#code(b, operator));
    const graph = this.#subgraph(b, tensors, operators, inputs, outputs);
    const graphs = Array<number>(more.subgraphs ?? 1).fill(graph);
    const codesVector = Model.createOperatorCodesVector(b, codes);
    const graphsVector = Model.createSubgraphsVector(b, graphs);
    const buffersVector = Model.createBuffersVector(b, buffers);
    Model.startModel(b);
    Model.addVersion(b, more.version ?? 3);
    Model.addOperatorCodes(b, codesVector);
    Model.addSubgraphs(b, graphsVector);
    Model.addBuffers(b, buffersVector);
    b.finish(Model.endModel(b), "TFL3");
    return b.asUint8Array().slice();
  }

  #buffer(b: Builder, data: ArrayBufferView | undefined): number {
    if (data === undefined) {
      Buffer.startBuffer(b);
      return Buffer.endBuffer(b);
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const vector = Buffer.createDataVector(b, bytes);
    Buffer.startBuffer(b);
    Buffer.addData(b, vector);
    return Buffer.endBuffer(b);
  }

  #tensor(b: Builder, spec: TensorSpec, index: number): number {
    const type = spec.type ?? TensorType.INT8;
    const scale = spec.scale === undefined ? (SCALED.has(type) ? 0.5 : null) : spec.scale;
    let quant = 0;
    if (scale !== null) {
      const scales = QuantizationParameters.createScaleVector(b, [scale].flat());
      const points = [spec.zeroPoint ?? 0].flat().map(BigInt);
      const zeroPoints = QuantizationParameters.createZeroPointVector(b, points);
      QuantizationParameters.startQuantizationParameters(b);
      QuantizationParameters.addScale(b, scales);
      QuantizationParameters.addZeroPoint(b, zeroPoints);
      QuantizationParameters.addQuantizedDimension(b, spec.axis ?? 0);
      quant = QuantizationParameters.endQuantizationParameters(b);
    }
    const name = b.createString(spec.name ?? `t${index}`);
    const shape = Tensor.createShapeVector(b, [...spec.shape]);
    Tensor.startTensor(b);
    Tensor.addShape(b, shape);
    Tensor.addType(b, type);
    Tensor.addBuffer(b, index + 1);
    Tensor.addName(b, name);
    if (quant !== 0) Tensor.addQuantization(b, quant);
    Tensor.addIsVariable(b, spec.variable ?? false);
    return Tensor.endTensor(b);
  }

  #operator(b: Builder, spec: OperatorSpec, index: number): number {
    const inputs = Operator.createInputsVector(b, [...spec.inputs]);
    const outputs = Operator.createOutputsVector(b, [...spec.outputs]);
    const options = spec.options?.[1](b) ?? 0;
    Operator.startOperator(b);
    Operator.addOpcodeIndex(b, index);
    Operator.addInputs(b, inputs);
    Operator.addOutputs(b, outputs);
    if (spec.options !== undefined) {
      Operator.addBuiltinOptionsType(b, spec.options[0]);
      Operator.addBuiltinOptions(b, options);
    }
    return Operator.endOperator(b);
  }

  #code(b: Builder, spec: OperatorSpec): number {
    const custom = spec.customCode === undefined ? 0 : b.createString(spec.customCode);
    OperatorCode.startOperatorCode(b);
    // As converters do: the old one-byte field is capped at 127.
    OperatorCode.addDeprecatedBuiltinCode(b, Math.min(spec.builtin, 127));
    if (custom !== 0) OperatorCode.addCustomCode(b, custom);
    OperatorCode.addVersion(b, spec.version ?? 1);
    OperatorCode.addBuiltinCode(b, spec.builtin);
    return OperatorCode.endOperatorCode(b);
  }

  #subgraph(
    b: Builder,
    tensors: readonly number[],
    operators: readonly number[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): number {
    const tensorsVector = SubGraph.createTensorsVector(b, [...tensors]);
    const inputsVector = SubGraph.createInputsVector(b, [...inputs]);
    const outputsVector = SubGraph.createOutputsVector(b, [...outputs]);
    const operatorsVector = SubGraph.createOperatorsVector(b, [...operators]);
    const name = b.createString("main");
    SubGraph.startSubGraph(b);
    SubGraph.addTensors(b, tensorsVector);
    SubGraph.addInputs(b, inputsVector);
    SubGraph.addOutputs(b, outputsVector);
    SubGraph.addOperators(b, operatorsVector);
    SubGraph.addName(b, name);
    return SubGraph.endSubGraph(b);
  }
}

/** A model of one operator: activations and constants in, `outputs` out. */
export function oneOperator(
  builtin: BuiltinOperator,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  options?: Options,
  more: Partial<OperatorSpec> = {},
): Uint8Array {
  const model = new TfliteBuilder();
  const ins = inputs.map((spec, i) => model.tensor({ name: `in${i}`, ...spec }));
  const outs = outputs.map((spec, i) => model.tensor({ name: outputs.length === 1 ? "out" : `out${i}`, ...spec }));
  model.operator(builtin, ins, outs, options, more);
  const open = ins.filter((id) => inputs[id]?.data === undefined);
  return model.build(open, outs);
}

/** The spec of a constant int32 vector, or of a scalar from a number. */
export function intsSpec(values: number | readonly number[], name = "ints"): TensorSpec {
  const list = typeof values === "number" ? [values] : values;
  return {
    name,
    shape: typeof values === "number" ? [] : [list.length],
    type: TensorType.INT32,
    data: Int32Array.from(list),
  };
}
