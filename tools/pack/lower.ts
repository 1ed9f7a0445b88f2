// Turns a graph into steps whose places are still symbolic: which tensor, temporary or params blob.
// Invariant: steps are in execution order; a step reads only what an earlier one, an input or the
// image holds.

import { Copy, Op } from "../../assembly/abi.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { DTYPE_BYTES, elementCount } from "../graph/graph.ts";
import type { Lowering, Ref, StepSpec } from "../ops/operator.ts";
import { operatorFor } from "../ops/registry.ts";
import type { Sparsity } from "./sparseChoice.ts";

export interface LoweredStep extends StepSpec {
  readonly node: Node;
  /** all of the node's steps: temporaries live from the first to the last */
  readonly nodeIndex: number;
}

/** Arena bytes that are no tensor's. */
export interface Temporary {
  readonly bytes: number;
  readonly nodeIndex: number;
  /** written by `load`, so never shared with anything */
  readonly resident: boolean;
}

export interface Lowered {
  readonly steps: readonly LoweredStep[];
  /** distinct read-only blobs */
  readonly params: readonly Uint8Array[];
  readonly temporaries: readonly Temporary[];
  /** output tensor → the tensor whose bytes it shares */
  readonly aliases: ReadonlyMap<number, number>;
}

/** `nodeIndex` of the steps that belong to no node: they have no temporaries. */
const NO_NODE = -1;

/** `frugal`: names of the nodes that must do without memory that is for speed only. */
export function lowerGraph(
  graph: Graph,
  frugal: ReadonlySet<string> = new Set(),
  sparsity: Sparsity = "byCost",
): Lowered {
  const steps: LoweredStep[] = [];
  const params: Uint8Array[] = [];
  const paramIndex = new Map<string, number>();
  const temporaries: Temporary[] = [];
  const aliases = new Map<number, number>();

  const addParams = (bytes: Uint8Array): Ref => {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    let index = paramIndex.get(key);
    if (index === undefined) {
      index = params.push(bytes) - 1;
      paramIndex.set(key, index);
    }
    return { kind: "params", index };
  };

  for (const [nodeIndex, node] of graph.nodes.entries()) {
    const reserve = (bytes: number, resident: boolean): Ref => {
      return { kind: "temporary", index: temporaries.push({ bytes, nodeIndex, resident }) - 1, byteOffset: 0 };
    };
    const lowering: Lowering = {
      tensor: (id) => graph.tensors[id]!,
      at: (id, byteOffset = 0) => {
        const { data } = graph.tensors[id]!;
        if (!data) return { kind: "tensor", id, byteOffset };
        return addParams(new Uint8Array(data.buffer, data.byteOffset + byteOffset, data.byteLength - byteOffset));
      },
      params: addParams,
      temporary: (bytes) => reserve(bytes, false),
      resident: (bytes) => reserve(bytes, true),
      alias: (output, input) => void aliases.set(output, input),
      emit: (step) => void steps.push({ ...step, node, nodeIndex }),
      mayUseMemory: ({ name }) => !frugal.has(name),
      sparsity,
    };
    operatorFor(node.op).lower(node, lowering);
  }
  for (const { input, output } of graph.states ?? []) {
    const node = graph.nodes.find(({ outputs }) => outputs.includes(output))!;
    const place = (id: number): Ref => ({ kind: "tensor", id, byteOffset: 0 });
    steps.push({
      ...copyOf(place(output), place(input), tensorBytes(graph.tensors[input]!)),
      node,
      nodeIndex: NO_NODE,
    });
  }
  return { steps, params, temporaries, aliases };
}

/** After all nodes: what a run leaves to the next goes where the next will read it. */
function copyOf(input: Ref, output: Ref, bytes: number): StepSpec {
  const dims: [number, number][] = Array.from({ length: Copy.Rank }, (_, axis) => [Copy.Dim0 + axis, 1]);
  const inner = Copy.Rank - 1;
  dims[inner] = [Copy.Dim0 + inner, bytes];
  return {
    op: Op.Copy,
    input,
    output,
    fields: [...dims, [Copy.ElementBytes, 1], [Copy.InStride0 + inner, 1], [Copy.OutStride0 + inner, 1]],
    kernelName: `kept for the next run, ${bytes} bytes`,
  };
}

export function tensorBytes(tensor: Tensor): number {
  return elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
}
