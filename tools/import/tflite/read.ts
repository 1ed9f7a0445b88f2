// Bytes → TfliteFile: the flatbuffer read once into plain values, with nothing believed.
// Invariant: any bytes give a TfliteFile or a ToolError ("BAD_FILE" for a damaged file), in time and
// memory bounded by the file's size (CheckedBuffer).

import { ToolError } from "../../errors.ts";
import { CheckedBuffer } from "./checkedBuffer.ts";
import { damaged, type FileOperator, type FileQuantization, type FileTensor, quoted, type TfliteFile } from "./file.ts";
import {
  type Buffer,
  Model,
  type Operator,
  type QuantizationParameters,
  type SubGraph,
  type Tensor,
} from "./generated/tflite.ts";

const SCHEMA_VERSION = 3;
const MAX_RANK = 8;

export function isTflite(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";
}

export function readTflite(bytes: Uint8Array, name: string): TfliteFile {
  if (!isTflite(bytes)) throw damaged(name, 'it has no "TFL3" identifier at byte 4');
  const model = Model.getRootAsModel(new CheckedBuffer(bytes, name));
  if (model.version() !== SCHEMA_VERSION) {
    throw new ToolError(
      "UNSUPPORTED",
      `${name} has TFLite schema version ${model.version()}, expected ${SCHEMA_VERSION}; convert the model again with a current converter.`,
    );
  }
  const graph = onlySubgraph(model, name);
  const buffers = new Map<number, Uint8Array | undefined>();
  const tensorCount = graph.tensorsLength();
  const tensors = list(tensorCount, (i) => readTensor(present(graph.tensors(i)), i, model, buffers, bytes, name));
  const operators = list(graph.operatorsLength(), (i) =>
    readOperator(present(graph.operators(i)), i, model, tensorCount, name),
  );
  const port = (index: number): number => tensorIndex(index, tensorCount, false, "the model", name);
  return {
    name,
    size: bytes.length,
    tensors,
    operators,
    inputs: list(graph.inputsLength(), (i) => port(graph.inputs(i) ?? -1)),
    outputs: list(graph.outputsLength(), (i) => port(graph.outputs(i) ?? -1)),
  };
}

/** The generated accessors say `T | null`; a checked index into a present vector gives T. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error("flatbuffers returned no element for a valid index");
  return value;
}

function list<T>(length: number, at: (index: number) => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(at(i));
  return items;
}

function onlySubgraph(model: Model, name: string): SubGraph {
  const count = model.subgraphsLength();
  if (count === 0) throw damaged(name, "it has no subgraph");
  if (count > 1) {
    const names = list(Math.min(count, 4), (i) => quoted(String(present(model.subgraphs(i)).name() ?? i)));
    const shown = count > 4 ? `${names.join(", ")}, …` : names.join(", ");
    throw new ToolError(
      "UNSUPPORTED",
      `${name} has ${count} subgraphs (${shown}), expected one; convert the model without control flow (loops unrolled, no IF, WHILE or CALL).`,
    );
  }
  return present(model.subgraphs(0));
}

function tensorIndex(index: number, count: number, absentAllowed: boolean, where: string, name: string): number {
  if (index < (absentAllowed ? -1 : 0) || index >= count) {
    throw damaged(name, `${where} refers to tensor ${index}, but there are ${count} tensors`);
  }
  return index;
}

function readTensor(
  tensor: Tensor,
  index: number,
  model: Model,
  buffers: Map<number, Uint8Array | undefined>,
  file: Uint8Array,
  name: string,
): FileTensor {
  const label = String(tensor.name() ?? "") || `tensor_${index}`;
  const rank = tensor.shapeLength();
  if (rank > MAX_RANK)
    throw damaged(name, `tensor ${quoted(label)} has ${rank} dimensions, expected at most ${MAX_RANK}`);
  const shape = list(rank, (i) => tensor.shape(i) ?? 0);
  const params = tensor.quantization();
  const quant = params === null ? undefined : readQuantization(params, label, name);
  const bufferIndex = tensor.buffer();
  if (bufferIndex >= model.buffersLength() && bufferIndex !== 0) {
    throw damaged(name, `tensor ${quoted(label)} refers to buffer ${bufferIndex} of ${model.buffersLength()}`);
  }
  if (!buffers.has(bufferIndex) && bufferIndex !== 0) {
    buffers.set(bufferIndex, readBuffer(present(model.buffers(bufferIndex)), bufferIndex, file, name));
  }
  const bytes = buffers.get(bufferIndex);
  const obstacle = tensorObstacle(tensor, params);
  return {
    index,
    name: label,
    type: tensor.type(),
    shape,
    ...(quant === undefined ? {} : { quant }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

function tensorObstacle(tensor: Tensor, params: QuantizationParameters | null): string | undefined {
  if (tensor.isVariable()) return "is a variable (state that outlives a run)";
  if (tensor.sparsity() !== null) return "is stored sparse";
  if (tensor.externalBuffer() !== 0) return "has its data in another file";
  if (params !== null && params.detailsType() !== 0) return "has block-wise or custom quantization";
  return undefined;
}

function readQuantization(params: QuantizationParameters, label: string, name: string): FileQuantization | undefined {
  const count = params.scaleLength();
  if (count === 0) return undefined;
  const points = params.zeroPointLength();
  if (points > 1 && points !== count) {
    throw damaged(name, `tensor ${quoted(label)} has ${count} scales but ${points} zero points`);
  }
  const zeroPoints = list(points, (i) => Number(params.zeroPoint(i) ?? 0n));
  const zeroPoint = Int32Array.from({ length: count }, (_, i) => zeroPoints[points === 1 ? 0 : i] ?? 0);
  if (zeroPoints.some((value) => value !== (value | 0))) {
    throw damaged(name, `tensor ${quoted(label)} has a zero point outside 32 bits`);
  }
  return {
    scale: Float32Array.from(list(count, (i) => params.scale(i) ?? 0)),
    zeroPoint,
    axis: params.quantizedDimension(),
  };
}

/** Undefined for an empty buffer: the tensor is no constant. */
function readBuffer(buffer: Buffer, index: number, file: Uint8Array, name: string): Uint8Array | undefined {
  // Files over 2 GB keep the data after the flatbuffer; offsets 0 and 1 mean "inline".
  const offset = Number(buffer.offset());
  if (offset > 1) {
    const size = Number(buffer.size());
    if (offset + size > file.length) {
      throw damaged(name, `buffer ${index} has ${size} bytes at offset ${offset}, but the file has ${file.length}`);
    }
    return size === 0 ? undefined : file.subarray(offset, offset + size);
  }
  // The length is checked first: it is what makes the library's view of the bytes safe to take.
  return buffer.dataLength() === 0 ? undefined : (buffer.dataArray() ?? undefined);
}

function readOperator(operator: Operator, index: number, model: Model, tensors: number, name: string): FileOperator {
  const codes = model.operatorCodesLength();
  if (operator.opcodeIndex() >= codes) {
    throw damaged(name, `operator ${index} refers to operator code ${operator.opcodeIndex()} of ${codes}`);
  }
  const code = present(model.operatorCodes(operator.opcodeIndex()));
  const where = `operator ${index}`;
  const optionsType: number = operator.builtinOptionsType();
  return {
    index,
    // Old files have only the first field; new ones cap it at 127 and use the second.
    builtin: Math.max(code.deprecatedBuiltinCode(), code.builtinCode()),
    customCode: String(code.customCode() ?? ""),
    version: code.version(),
    inputs: list(operator.inputsLength(), (i) => tensorIndex(operator.inputs(i) ?? -1, tensors, true, where, name)),
    outputs: list(operator.outputsLength(), (i) => tensorIndex(operator.outputs(i) ?? -1, tensors, false, where, name)),
    optionsType,
    options: (type, table) => {
      if (optionsType !== type) return undefined;
      const found: unknown = operator.builtinOptions(table);
      return found === null ? undefined : table;
    },
  };
}
