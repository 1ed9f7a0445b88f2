// Bias correction: what rounding weights and activations moved the mean of each output by is taken from its bias.
// Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.2, with
// the means measured (4.2.2): b' = b + W·E[x] − W'·E[x'], where x and x' are the layer's inputs in the float and in the
// integer graph, so that what earlier layers and clipping moved is in it too. A layer is linear: the mean of its patches is the
// patch of its mean input. In the order of execution: a corrected layer moves the inputs of all that come after it.
// Invariant: only biases change, and layers without a float layer of the same name stay as they are.

import { watch } from "../evaluate/layerInputs.ts";
import { removeDeadCode } from "../graph/deadCode.ts";
import type { Graph, Node, TensorData } from "../graph/graph.ts";
import { floatBiases, floatWeights } from "./floatWeights.ts";
import { biasScale, type Layer, outputsOf, realWeights, rows, weightedLayers } from "./layers.ts";
import { patchesOf } from "./patches.ts";

/** `inputs`: as for calibration. */
export function correctBiases(integer: Graph, float: Graph, inputs: readonly (readonly TensorData[])[]): Graph {
  const [reals, biases] = [floatWeights(float), floatBiases(float)];
  const sources = new Map(float.nodes.map((node) => [node.name, node.inputs[0]!]));
  const layers = weightedLayers(integer).filter(({ name }) => reals.has(name) && biases.has(name));
  const wanted = means(
    float,
    layers.map(({ name }) => sources.get(name)!),
    inputs,
  );
  const target = new Map(
    layers.map((layer) => {
      const mean = wanted.get(sources.get(layer.name)!)!;
      const sums = outputMeans(integer, layer, mean, reals.get(layer.name)!);
      return [layer.name, sums.map((sum, n) => sum + biases.get(layer.name)![n]!)];
    }),
  );
  let graph = integer;
  for (const layer of layers) {
    const x = layer.inputs[0]!;
    // only what leads to the layer is run
    const before = removeDeadCode({ ...graph, outputs: [x], states: [] });
    const port = before.outputs[0]!;
    const mean = means(before, [port], inputs).get(port)!;
    graph = corrected(graph, layer, target.get(layer.name)!, mean);
  }
  return graph;
}

function corrected(graph: Graph, layer: Layer, target: Float64Array, mean: Float64Array): Graph {
  const tensors = [...graph.tensors];
  const [x, w, b = -1] = layer.inputs as [number, number, number?];
  const sums = outputMeans(graph, layer, mean, realWeights(layer, tensors[w]!));
  const data = Int32Array.from(sums, (sum, n) => {
    const moved = Math.round((target[n]! - sum) / biasScale(layer, tensors[x]!, tensors[w]!, n));
    return Math.max(-(2 ** 30), Math.min(2 ** 30, moved));
  });
  const bias = { name: tensors[b]?.name ?? `${layer.name}/bias`, shape: [data.length], dtype: "int32", data } as const;
  const id = tensors.push(bias) - 1;
  const nodes = graph.nodes.map((node): Node => (node.name === layer.name ? { ...layer, inputs: [x, w, id] } : node));
  return { ...graph, tensors, nodes };
}

/** The mean over the sets of each cell of the tensors `ids`. */
function means(
  graph: Graph,
  ids: readonly number[],
  inputs: readonly (readonly TensorData[])[],
): ReadonlyMap<number, Float64Array> {
  const sums = new Map<number, Float64Array>();
  watch(graph, ids, inputs, (id, real) => {
    const sum = sums.get(id) ?? new Float64Array(real.length);
    sums.set(id, sum);
    for (let i = 0; i < real.length; i++) sum[i]! += real[i]! / inputs.length;
  });
  return sums;
}

/** Of each output the mean over its places of Σ w · x. */
function outputMeans(graph: Graph, layer: Layer, x: Float64Array, weights: Float64Array): Float64Array {
  const [source, kernel] = [graph.tensors[layer.inputs[0]!]!, graph.tensors[layer.inputs[1]!]!];
  const patches = patchesOf(layer, source, kernel, graph.tensors[layer.outputs[0]!]!);
  const mean = new Float64Array(patches.size);
  for (let i = 0; i < patches.count; i++) {
    patches.visit(i, (cell, place) => {
      mean[cell]! += x[place]! / patches.count;
    });
  }
  const outputs = outputsOf(layer, kernel);
  const inC = layer.op === "depthwiseConv2d" ? source.shape[3]! : 0;
  return Float64Array.from(rows(layer, kernel), (places, n) =>
    places.reduce((sum, place, i) => {
      const cell = layer.op === "depthwiseConv2d" ? i * inC + Math.floor((n * inC) / outputs) : i;
      return sum + weights[place]! * mean[cell]!;
    }, 0),
  );
}
