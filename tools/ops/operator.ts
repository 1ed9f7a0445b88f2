// The contract of an operator on the tools' side. Each operator is one file in this folder that
// exports one `Operator`: its shape rule, its integer reference and its lowering to core steps.
// Invariant: for every input that `check` accepts, the core running what `lower` emitted gives
// exactly the bytes of `reference`, on every build.

import type { Op } from "../../assembly/abi.ts";
import type { DType, Node, OpName, Tensor, TensorData } from "../graph/graph.ts";
import type { Sparsity } from "../pack/sparseChoice.ts";

export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A place in the model's memory, resolved to an offset once the arena is planned. */
export type Ref =
  | { readonly kind: "tensor"; readonly id: number; readonly byteOffset: number }
  | { readonly kind: "temporary"; readonly index: number; readonly byteOffset: number }
  | { readonly kind: "params"; readonly index: number };

/** One step of the plan before its places are resolved. */
export interface StepSpec {
  readonly op: Op;
  /** operator's kernel code; 0 when left out */
  readonly kernel?: number;
  readonly input?: Ref;
  readonly input2?: Ref;
  readonly output: Ref;
  readonly params?: Ref;
  /** further places that the step reads or writes, in words of its own */
  readonly more?: readonly (readonly [word: number, place: Ref])[];
  /** bytes of arena used only while this step runs */
  readonly scratchBytes?: number;
  /** bytes of memory that the step takes for speed only */
  readonly spareBytes?: number;
  /** with so much a build is faster: given where memory does not grow for it (tools/pack/room.ts) */
  readonly roomBytes?: number;
  /** [word index, int32 value] */
  readonly fields: readonly (readonly [word: number, value: number])[];
  /** [word index, float32 value], stored as float32 bits */
  readonly floats?: readonly (readonly [word: number, value: number])[];
  /** true when the output may take the place of `input` if that dies here (element-wise, same size) */
  readonly inPlace?: boolean;
  /** for `explain`: the kernel in words, and multiply-accumulates */
  readonly kernelName: string;
  readonly macs?: number;
}

/** What `lower` works with. */
export interface Lowering {
  tensor(id: number): Tensor;
  /** the place of a tensor: arena for an activation, read-only image for a constant */
  at(id: number, byteOffset?: number): Ref;
  /** read-only bytes for the image, 16-byte aligned; equal bytes are stored once */
  params(bytes: Uint8Array): Ref;
  /** arena bytes that live only through this node's steps */
  temporary(bytes: number): Ref;
  /** arena bytes that hold what `load` puts there, through all steps and runs */
  resident(bytes: number): Ref;
  /** `output` shares the bytes of `input` (reshape) */
  alias(output: number, input: number): void;
  emit(step: StepSpec): void;
  /** Whether the node may spend memory on speed, as `spareBytes` says: the packer's budget decides */
  mayUseMemory(node: Node): boolean;
  /** Whether weights of which groups are zero are laid out without them */
  readonly sparsity: Sparsity;
}

export interface Operator<K extends OpName = OpName> {
  readonly name: K;
  /** Throws ToolError "BAD_GRAPH" or "UNSUPPORTED" in one sentence, else the outputs' types. Absent inputs are undefined. */
  check(node: Node<K>, inputs: readonly (Tensor | undefined)[], outputs: readonly Tensor[]): readonly TensorType[];
  /** Plain, slow, readable integer arithmetic: the truth that every build equals bit for bit. */
  reference(node: Node<K>, inputs: readonly (Value | undefined)[], outputs: readonly Tensor[]): readonly TensorData[];
  lower(node: Node<K>, lowering: Lowering): void;
}

/** A tensor with its data at hand. */
export interface Value extends Tensor {
  readonly data: TensorData;
}
