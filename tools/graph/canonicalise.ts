// Brings every tensor to the dtypes the kernels are written for: uint8 becomes int8 with the zero
// point moved by 128, and 8- or 16-bit tensors without a scale (only moved, never computed with) get
// scale 1 and zero point 0.
// Invariant: real values are unchanged, and the model's inputs and outputs keep their dtype: where
// one is uint8, a `requantize` node stands between it and the graph.

import type { Graph, Node, Quantization, Tensor, TensorData } from "./graph.ts";
import { makeNode } from "./node.ts";
import { rename, tensorAt } from "./uses.ts";

const OFFSET = 128;

export function canonicalise(graph: Graph): Graph {
  const shared = new Map<TensorData, Int8Array>();
  const scaled = graph.tensors.map(withScale);
  // A float32 edge is converted by the host, straight to int8.
  const isUint8Port = (id: number): boolean => scaled[id]?.dtype === "uint8" && !graph.edges?.has(id);
  const inputs = new Set(graph.inputs.filter(isUint8Port));
  const outputs = new Set(graph.outputs.filter((id) => isUint8Port(id) && !inputs.has(id)));
  const ports = new Set([...inputs, ...outputs]);
  const tensors = scaled.map((tensor, id) =>
    tensor.dtype !== "uint8" || ports.has(id) ? tensor : toInt8(tensor, shared),
  );
  const insides = new Map<number, number>();
  const before: Node[] = [];
  const after: Node[] = [];
  for (const id of ports) {
    const port = tensorAt({ ...graph, tensors }, id);
    const name = `${port.name}/int8`;
    const inside = tensors.push({ ...toInt8(port, shared), name }) - 1;
    insides.set(id, inside);
    if (inputs.has(id)) before.push(makeNode("requantize", name, [id], [inside], {}));
    else after.push(makeNode("requantize", name, [inside], [id], {}));
  }
  const inner = graph.nodes.map((node) => rename(withUnsignedTies(graph, node), insides));
  const nodes = [...before, ...inner, ...after];
  return { ...graph, tensors, nodes };
}

/** An average of uint8 values rounds its ties as they did. */
function withUnsignedTies(graph: Graph, node: Node): Node {
  if (node.op !== "averagePool2d" || tensorAt(graph, node.inputs[0] ?? -1).dtype !== "uint8") return node;
  return { ...node, attrs: { ...node.attrs, unsigned: true } };
}

function withScale(tensor: Tensor): Tensor {
  if (tensor.quant !== undefined || !["int8", "uint8", "int16"].includes(tensor.dtype)) return tensor;
  return { ...tensor, quant: { scale: Float32Array.of(1), zeroPoint: Int32Array.of(0), axis: 0 } };
}

/** `shared` keeps tensors that share data sharing it. */
function toInt8(tensor: Tensor, shared: Map<TensorData, Int8Array>): Tensor {
  const { data, quant, ...rest } = tensor;
  const moved = quant === undefined ? {} : { quant: shift(quant) };
  if (data === undefined) return { ...rest, ...moved, dtype: "int8" };
  const known = shared.get(data);
  const converted = known ?? Int8Array.from(data as Uint8Array, (value) => value - OFFSET);
  shared.set(data, converted);
  return { ...rest, ...moved, dtype: "int8", data: converted };
}

function shift(quant: Quantization): Quantization {
  return { ...quant, zeroPoint: quant.zeroPoint.map((point) => point - OFFSET) };
}
