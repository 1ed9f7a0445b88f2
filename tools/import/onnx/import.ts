// ONNX bytes → Graph, before any pass. Invariant: either the whole model is in the graph, or one ImportError names
// every node that stands in its way.

import { ToolError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { Builder, carrier, saturate, type Value } from "./builder.ts";
import { type FileNode, type FileTensor, type FileValue, nodeName, type OnnxFile, readOnnx } from "./file.ts";
import { OnnxNode } from "./node.ts";
import { ImportError, Obstacle, type Reason } from "./obstacle.ts";
import { NARROW } from "./ops/quantize.ts";
import { closest, IMPORTERS, OPSETS } from "./ops/registry.ts";
import { isFloatType, numbersOf, shapeCount, TYPE, typeName } from "./tensors.ts";

export interface OnnxOptions {
  /** symbolic dimensions by name, or by "input:axis" */
  readonly dims?: Readonly<Record<string, number>>;
  /** inputs that are bound to a value and are then no inputs */
  readonly bound?: ReadonlyMap<string, FileTensor>;
  /** where external data is looked for */
  readonly folder?: string;
}

const keyOf = ({ domain, opType }: FileNode): string =>
  domain === "" || domain === "ai.onnx" ? opType : `${domain}:${opType}`;

export function importOnnx(bytes: Uint8Array, fileName: string, options: OnnxOptions = {}): Graph {
  const file = readOnnx(bytes, fileName);
  const build = new Builder();
  const values = new Map<string, Value>();
  const opset = file.opsets.get("") ?? OPSETS[0];
  if (opset < OPSETS[0] || opset > OPSETS[1]) {
    throw new ToolError(
      "UNSUPPORTED",
      `${fileName} is of opset ${opset}, but ${OPSETS[0]} to ${OPSETS[1]} are imported; convert it with onnx.version_converter.`,
    );
  }
  for (const tensor of [...file.initializers.values(), ...boundTensors(file, options)])
    addConstant(build, values, tensor, options.folder);
  const inputs: number[] = [];
  for (const input of file.inputs) {
    if (!options.bound?.has(input.name)) inputs.push(addInput(build, values, file, input, options.dims ?? {}));
  }
  const reasons: Reason[] = [];
  const lost = new Set<string>();
  for (const node of file.nodes) {
    const reason = importNode(build, values, node, file, opset, options.folder, lost);
    if (!reason) continue;
    for (const output of node.output) lost.add(output);
    if (reason.why !== "") reasons.push(reason);
  }
  if (reasons.length > 0) throw new ImportError(fileName, reasons);
  const outputs = file.outputs.map(({ name }) => outputPort(build, values, name, new Set(inputs), fileName));
  return withPortNames(build, file, fileName, inputs, outputs, options);
}

function boundTensors(file: OnnxFile, { bound }: OnnxOptions): FileTensor[] {
  return file.inputs.flatMap(({ name }) => {
    const tensor = bound?.get(name);
    return tensor ? [{ ...tensor, name }] : [];
  });
}

function addConstant(build: Builder, values: Map<string, Value>, tensor: FileTensor, folder: string | undefined): void {
  const { type, shape, data } = numbersOf(tensor, `the constant "${tensor.name}"`, folder);
  // an empty constant stands for one that is left out (the region of a Resize); it has no tensor of its own
  const dtype = carrier(type);
  const array = dtype === "float32" ? (data as Float32Array) : Int32Array.from(data, saturate);
  const id = build.add({ name: tensor.name, shape, dtype, data: array });
  values.set(tensor.name, { name: tensor.name, type, shape, plain: id });
}

function addInput(
  build: Builder,
  values: Map<string, Value>,
  file: OnnxFile,
  input: FileValue,
  dims: Readonly<Record<string, number>>,
): number {
  const { name } = input;
  const tensor = input.type?.tensorType;
  if (!tensor)
    throw new ToolError(
      "UNSUPPORTED",
      `${file.name}: the input "${name}" is no tensor; sequences, maps and optional values cannot be fed.`,
    );
  const type = tensor.elemType;
  if (!isFloatType(type) && (type < TYPE.uint8 || type === 8))
    throw new ToolError(
      "UNSUPPORTED",
      `${file.name}: the input "${name}" holds ${typeName(type)}; numbers can be fed.`,
    );
  const shape = (tensor.shape?.dim ?? []).map(({ dimValue, dimParam }, axis) => {
    const bound = dims[dimParam] ?? dims[`${name}:${axis}`];
    if (bound !== undefined) return bound;
    if (dimValue > 0) return dimValue;
    // a batch that is left open is one item
    if (axis === 0 && dimParam !== "" && /^(batch|n$|unk__|batch_size)/i.test(dimParam)) return 1;
    const what = dimParam ? `--dim ${dimParam}=N` : `--dim ${name}:${axis}=N`;
    throw new ToolError(
      "UNSUPPORTED",
      `${file.name}: dimension ${axis} of the input "${name}" is ${dimParam ? `open ("${dimParam}")` : `open (${dimValue})`}; bind it with ${what}.`,
    );
  });
  if (shape.some((size) => !Number.isInteger(size) || size < 1))
    throw new ToolError(
      "UNSUPPORTED",
      `${file.name}: the input "${name}" has the shape [${shape}]; every dimension must be 1 or more.`,
    );
  shapeCount(shape, `${file.name}: the input "${name}"`);
  const narrow = NARROW.get(type);
  const quant = narrow && inputScaling(file, name, values, build);
  const id = build.add({
    name,
    shape,
    dtype: narrow && quant ? narrow : carrier(type),
    ...(narrow && quant && { quant }),
  });
  values.set(name, { name, type, shape, plain: id });
  return id;
}

/** The one scale with which all readers of an integer input, behind moves, dequantize it. */
function inputScaling(file: OnnxFile, name: string, values: ReadonlyMap<string, Value>, build: Builder) {
  const found: { scale: number; zero: number }[] = [];
  const MOVES = ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity"];
  const SCALED: Readonly<Record<string, readonly number[]>> = {
    DequantizeLinear: [0],
    QLinearConv: [0],
    QLinearMatMul: [0, 3],
  };
  const follow = (value: string): boolean =>
    file.nodes.every((node) => {
      const at = node.input.indexOf(value);
      if (at < 0) return true;
      if (MOVES.includes(node.opType) && at === 0) return follow(node.output[0]!);
      if (!SCALED[node.opType]?.includes(at)) return false;
      const read = (input: string | undefined): number | undefined => {
        const known = input ? values.get(input) : undefined;
        const data = known && build.numbers(known);
        return data?.length === 1 ? data[0] : undefined;
      };
      const scale = read(node.input[at + 1]);
      if (scale === undefined) return false;
      found.push({ scale, zero: node.input[at + 2] ? (read(node.input[at + 2]) ?? Number.NaN) : 0 });
      return true;
    });
  if (!follow(name) || file.outputs.some((output) => output.name === name)) return undefined;
  const [first] = found;
  if (
    !first ||
    found.some(({ scale, zero }) => scale !== first.scale || zero !== first.zero) ||
    Number.isNaN(first.zero)
  )
    return undefined;
  return { scale: Float32Array.of(first.scale), zeroPoint: Int32Array.of(first.zero), axis: 0 };
}

/** What stands in the node's way; `why` is "" where it only reads what was lost before. */
function importNode(
  build: Builder,
  values: Map<string, Value>,
  node: FileNode,
  file: OnnxFile,
  opset: number,
  folder: string | undefined,
  lost: ReadonlySet<string>,
): Reason | undefined {
  const key = keyOf(node);
  const own = file.opsets.get(node.domain === "ai.onnx" ? "" : node.domain) ?? opset;
  const reason = (why: string, advice: string, needs: readonly string[] = []): Reason => ({
    node: nodeName(node),
    operator: key,
    opset: own,
    why,
    advice,
    needs,
  });
  const importer = IMPORTERS.get(key);
  if (!importer) return reason("is not supported", closest(node.opType));
  if (node.input.some((name) => lost.has(name))) return reason("", "");
  build.prefix = nodeName(node);
  try {
    importer(new OnnxNode(build, node, opset, values, folder));
    return undefined;
  } catch (error) {
    if (error instanceof Obstacle) return reason(error.message, error.advice, error.needs ? [error.needs] : []);
    if (error instanceof ToolError)
      return reason(error.message.replace(/\.$/, ""), "repair or change it in the source model");
    if (error instanceof RangeError || error instanceof TypeError)
      return reason("its attributes and inputs do not fit together", "export the model again");
    throw error;
  }
}

/** A tensor that a step writes: constants and inputs are copied, and one tensor is no two ports. */
function outputPort(
  build: Builder,
  values: ReadonlyMap<string, Value>,
  name: string,
  taken: Set<number>,
  fileName: string,
): number {
  const value = values.get(name);
  if (!value)
    throw new ToolError(
      "BAD_FILE",
      `${fileName}: the output "${name}" is computed by no node; export the model again.`,
    );
  let id = build.plain(value);
  const tensor = build.at(id);
  if (tensor.shape.includes(0)) {
    throw new ToolError(
      "UNSUPPORTED",
      `${fileName}: the output "${name}" is empty [${tensor.shape}]; leave it out of the model.`,
    );
  }
  if (tensor.data || taken.has(id)) {
    const { data: _data, ...rest } = tensor;
    const copy = build.add({ ...rest, name });
    build.nodes.push({
      op: "reshape",
      name: build.name(`${name}/copy`),
      inputs: [id],
      outputs: [copy],
      attrs: { shape: tensor.shape },
    });
    id = copy;
  }
  taken.add(id);
  return id;
}

function withPortNames(
  build: Builder,
  file: OnnxFile,
  fileName: string,
  inputs: readonly number[],
  outputs: readonly number[],
  options: OnnxOptions,
): Graph {
  const tensors = [...build.tensors];
  const own = file.inputs.filter(({ name }) => !options.bound?.has(name));
  for (const [i, id] of inputs.entries()) tensors[id] = { ...tensors[id]!, name: own[i]!.name };
  for (const [i, id] of outputs.entries()) tensors[id] = { ...tensors[id]!, name: file.outputs[i]!.name };
  const base = fileName.split(/[/\\]/).at(-1)!;
  return { name: base.replace(/\.onnx$/i, ""), tensors, nodes: build.nodes, inputs, outputs };
}
