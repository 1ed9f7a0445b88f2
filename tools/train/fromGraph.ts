// An imported model as a layer to train further: its integers become real numbers again, its nodes operators of the
// engine. Invariant: weights are parameters with the tensors' names, so they can be frozen by name; what the engine
// cannot express is refused by name.

import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type Node, type Tensor } from "../graph/graph.ts";
import { activate, type Layer } from "./layers.ts";
import * as ops from "./ops/index.ts";
import type { Value } from "./trace.ts";

/** A constant's real values; a bias has the scales of its product. */
function realValues({ data, quant, shape, name }: Tensor, biasScales?: Float32Array): Float32Array {
  const scale = biasScales ?? quant?.scale;
  if (!data || !scale)
    throw new ToolError("UNSUPPORTED", `"${name}" is no quantized constant; only such weights can be trained further.`);
  const inner = biasScales ? 1 : elementCount(shape.slice((quant?.axis ?? 0) + 1));
  const zero = biasScales ? undefined : quant?.zeroPoint;
  return Float32Array.from({ length: data.length }, (_, i) => {
    const channel = scale.length === 1 ? 0 : Math.floor(i / inner) % scale.length;
    return (Number(data[i]) - (zero?.[zero.length === 1 ? 0 : channel] ?? 0)) * scale[channel]!;
  });
}

export interface FromGraphOptions {
  /** stop before this node (its name, or "softmax" for a softmax at the end): train on what comes out there */
  readonly before?: string;
}

/**
 * `graph` (from `importModel`) as a layer: its input and output are real values, the batch is free.
 * Throws UNSUPPORTED for a node that the engine cannot express.
 */
export function fromGraph(graph: Graph, { before = "softmax" }: FromGraphOptions = {}): Layer {
  return (x) => {
    const batch = x.shape[0]!;
    const values = new Map<number, Value>([[graph.inputs[0]!, x]]);
    const parameter = (id: number, biasScales?: Float32Array): Value => {
      const tensor = graph.tensors[id]!;
      const start = realValues(tensor, biasScales);
      const { parameters } = x.trace;
      return x.trace.parameter(parameters.declare(tensor.name, tensor.shape, () => start, { decays: !biasScales }));
    };
    let last = x;
    for (const node of graph.nodes) {
      if (node.name === before || node.op === before) break;
      const source = values.get(node.inputs[0]!);
      if (!source) throw new ToolError("UNSUPPORTED", `${node.name}: reads what is not made from the first input.`);
      const product = (): [weights: Value, bias: Value | undefined] => {
        const [from, weights, bias] = node.inputs as [number, number, number?];
        const scales = graph.tensors[weights]!.quant!.scale.map(
          (scale) => scale * graph.tensors[from]!.quant!.scale[0]!,
        );
        return [parameter(weights), bias === undefined || bias < 0 ? undefined : parameter(bias, scales)];
      };
      last = express(node, source, values, product, batch);
      values.set(node.outputs[0]!, last);
    }
    return last;
  };
}

function express(
  node: Node,
  x: Value,
  values: ReadonlyMap<number, Value>,
  product: () => [Value, Value | undefined],
  batch: number,
): Value {
  const unsupported = (): ToolError =>
    new ToolError(
      "UNSUPPORTED",
      `${node.name}: ${node.op} cannot be trained further; choose an earlier place with "before".`,
    );
  const fused = (value: Value, activation: string): Value => {
    if (activation === "reluN1To1") throw unsupported();
    return activate(value, activation as "none" | "relu" | "relu6");
  };
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d": {
      const { strideH, strideW, dilationH, dilationW, padding, activation } = node.attrs;
      if (strideH !== strideW || dilationH !== dilationW) throw unsupported();
      const options = { stride: strideH, dilation: dilationH, padding };
      if (node.op === "conv2d") return fused(ops.conv2d(x, ...product(), options), activation);
      if (node.attrs.multiplier !== 1) throw unsupported();
      return fused(ops.depthwiseConv2d(x, ...product(), options), activation);
    }
    case "fullyConnected": {
      const [weights, bias] = product();
      const rows = x.shape.length === 2 ? x : ops.reshape(x, [batch, elementCount(x.shape) / batch]);
      return fused(ops.dense(rows, weights, bias), node.attrs.activation);
    }
    case "maxPool2d":
    case "averagePool2d": {
      const { kernelH, kernelW, strideH, strideW, padding, activation } = node.attrs;
      if (kernelH !== kernelW || strideH !== strideW) throw unsupported();
      const pool = node.op === "maxPool2d" ? ops.maxPool2d : ops.averagePool2d;
      return fused(pool(x, kernelH, { stride: strideH, padding }), activation);
    }
    case "mean": {
      const { axes } = node.attrs;
      return ops.mean(x, axes[0]!, axes.at(-1)!);
    }
    case "add": {
      const other = values.get(node.inputs[1]!);
      if (!other) throw unsupported();
      return fused(ops.add(x, other), node.attrs.activation);
    }
    case "reshape":
      return ops.reshape(x, [batch, ...node.attrs.shape.slice(1)]);
    case "logistic":
      return ops.logistic(x);
    case "tanh":
      return ops.tanh(x);
    case "hardSwish":
      return ops.hardSwish(x);
    case "softmax":
      return ops.softmax(x);
    default:
      throw unsupported();
  }
}
