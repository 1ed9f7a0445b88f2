// Builds small graphs for tests. Invariant: every activation gets a name, a shape and quantization.

import type { DType, Graph, Node, Quantization, Tensor, TensorData } from "../../tools/graph/graph.ts";

export function quant(scale: number | readonly number[], zeroPoint = 0, axis = 0): Quantization {
  const scales = Float32Array.from(typeof scale === "number" ? [scale] : scale);
  return { scale: scales, zeroPoint: new Int32Array(scales.length).fill(zeroPoint), axis };
}

export function activation(
  name: string,
  shape: readonly number[],
  scale: number,
  zeroPoint: number,
  dtype: DType = "int8",
): Tensor {
  return { name, shape, dtype, quant: quant(scale, zeroPoint) };
}

export function constant(
  name: string,
  shape: readonly number[],
  dtype: DType,
  data: TensorData,
  quantization?: Quantization,
): Tensor {
  return quantization ? { name, shape, dtype, data, quant: quantization } : { name, shape, dtype, data };
}

/** A graph of one node: `inputs` in order (undefined = absent); those without data are graph inputs. */
export function singleNode(
  node: Pick<Node, "op" | "attrs">,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
): Graph {
  const tensors: Tensor[] = [];
  const inputIds = inputs.map((tensor) => (tensor ? tensors.push(tensor) - 1 : -1));
  const outputIds = outputs.map((tensor) => tensors.push(tensor) - 1);
  return {
    name: node.op,
    tensors,
    nodes: [{ ...node, name: node.op, inputs: inputIds, outputs: outputIds } as Node],
    inputs: inputIds.filter((id) => id >= 0 && !tensors[id]!.data),
    outputs: outputIds,
  };
}
