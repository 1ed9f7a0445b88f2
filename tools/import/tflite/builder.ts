// Collects the graph while the operators are imported: tensors on first use, nodes in order.
// Invariant: a file tensor becomes at most one graph tensor, with static dimensions ≥ 1, and data
// exactly when it is a constant; node names are unique.

import {
  type Attributes,
  type DType,
  elementCount,
  type Node,
  type OpName,
  type Quantization,
  type Tensor,
} from "../../graph/graph.ts";
import { makeNode } from "../../graph/node.ts";
import { Constants, graphCoding, graphDtype, typeName } from "./constants.ts";
import { damaged, type FileQuantization, type FileTensor, quoted, type TfliteFile } from "./file.ts";
import { TensorType } from "./generated/tflite.ts";
import { Names } from "./names.ts";
import { Obstacle } from "./obstacle.ts";

/** A tensor of the graph with its id. */
export interface Operand {
  readonly id: number;
  readonly tensor: Tensor;
}

const NARROW: ReadonlySet<DType> = new Set<DType>(["int8", "uint8", "int16"]);
const MAX_ELEMENTS = 2 ** 31 - 1;

export class GraphBuilder {
  readonly file: TfliteFile;
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  readonly #constants: Constants;
  readonly #ids = new Map<number, number>();
  readonly #known = new Map<number, readonly number[]>();
  readonly #nodeNames = new Names();
  readonly #inputs: ReadonlySet<number>;

  constructor(file: TfliteFile) {
    this.file = file;
    this.#constants = new Constants(file);
    this.#inputs = new Set(file.inputs);
  }

  fileTensor(index: number): FileTensor {
    const tensor = this.file.tensors[index];
    if (tensor === undefined) throw new Error(`tensor ${index} was not checked by read.ts`);
    return tensor;
  }

  /** Integers without stored bytes: an empty constant, or what shapeMath.ts computed. */
  knownInts(fileIndex: number): readonly number[] | undefined {
    const tensor = this.fileTensor(fileIndex);
    const empty = tensor.bytes === undefined && tensor.shape.includes(0) ? [] : undefined;
    return this.#known.get(fileIndex) ?? empty;
  }

  know(fileIndex: number, values: readonly number[]): void {
    this.#known.set(fileIndex, values);
  }

  isInput(fileIndex: number): boolean {
    return this.#inputs.has(fileIndex);
  }

  /** `where` opens the sentence when the tensor cannot be represented. */
  operand(fileIndex: number, where: string): Operand {
    const known = this.#ids.get(fileIndex);
    const tensor = known === undefined ? this.#convert(this.fileTensor(fileIndex), where) : this.tensors[known];
    if (tensor === undefined) throw new Error(`graph tensor ${known} is missing`);
    const id = known ?? this.add(tensor).id;
    this.#ids.set(fileIndex, id);
    return { id, tensor };
  }

  /** The file's tensor is this one of the graph. */
  stand(fileIndex: number, operand: Operand): void {
    this.#ids.set(fileIndex, operand.id);
  }

  /** A tensor that the file does not have, e.g. between the two nodes of one operator. */
  add(tensor: Tensor): Operand {
    this.tensors.push(tensor);
    return { id: this.tensors.length - 1, tensor };
  }

  emit<K extends OpName>(
    op: K,
    name: string,
    inputs: readonly number[],
    outputs: readonly number[],
    attrs: Attributes[K],
  ): void {
    // A fused operator's output bears the names of all it was made of; the first says which one it is.
    const short = name.split(";", 1)[0] || name;
    this.nodes.push(makeNode(op, this.#nodeNames.take(short), inputs, outputs, attrs));
  }

  #convert(tensor: FileTensor, where: string): Tensor {
    const what = `${where} uses tensor ${quoted(tensor.name)}, which`;
    if (tensor.obstacle !== undefined) {
      throw new Obstacle(
        "UNSUPPORTED",
        `${what} ${tensor.obstacle}`,
        "convert the model with plain dense tensors and no state",
      );
    }
    const dtype = graphDtype(tensor.type);
    // half floats are a way to store constants
    const isStored = tensor.type !== TensorType.FLOAT16 || (tensor.bytes !== undefined && !this.isInput(tensor.index));
    if (dtype === undefined || !isStored) {
      throw new Obstacle(
        "UNSUPPORTED",
        `${what} is ${typeName(tensor.type)}`,
        "convert the model with int8 weights and activations",
      );
    }
    const count = this.#count(tensor, what);
    const data = this.isInput(tensor.index) ? undefined : this.#constants.data(tensor, count);
    // A constant of 32 or 64 bits is a bias or a shape: a bias has the scale s_x · s_w, whatever is stored.
    const scaled = NARROW.has(dtype) || (dtype === "int32" && data === undefined);
    const coding = data === undefined ? undefined : graphCoding(tensor.type);
    const quant = scaled && tensor.quant !== undefined ? this.#quantization(tensor, tensor.quant) : undefined;
    return {
      name: tensor.name,
      shape: tensor.shape,
      dtype,
      ...(quant === undefined ? {} : { quant }),
      ...(data === undefined ? {} : { data }),
      ...(coding === undefined ? {} : { coding }),
    };
  }

  #count(tensor: FileTensor, what: string): number {
    const bad = tensor.shape.find((size) => size < 1);
    if (bad !== undefined) {
      throw new Obstacle(
        "UNSUPPORTED",
        `${what} has shape [${tensor.shape}]: a dimension of ${bad}, expected 1 or more`,
        "fix every dimension of the model's inputs and convert it again",
      );
    }
    const count = elementCount(tensor.shape);
    if (count > MAX_ELEMENTS) {
      throw damaged(
        this.file.name,
        `tensor ${quoted(tensor.name)} of shape [${tensor.shape}] has over ${MAX_ELEMENTS} elements`,
      );
    }
    return count;
  }

  #quantization(tensor: FileTensor, quant: FileQuantization): Quantization {
    const bad = quant.scale.find((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
    if (bad !== undefined) {
      throw damaged(this.file.name, `tensor ${quoted(tensor.name)} has a scale of ${bad}, expected a positive number`);
    }
    return { scale: quant.scale, zeroPoint: quant.zeroPoint, axis: quant.scale.length > 1 ? quant.axis : 0 };
  }
}
