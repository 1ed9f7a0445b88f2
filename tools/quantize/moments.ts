// How the inputs of a layer vary together: H = Σ x xᵀ over patches that calibration saw, the second derivative of the layer's
// squared output error by its weights. Source: Frantar et al., "GPTQ", 2023, section 3.
// Invariant: symmetric, float64; a depthwise layer has one matrix a channel of its input. Patches are taken evenly from all sets and
// places, as many as the matrix's size is worth.

import { watch } from "../evaluate/layerInputs.ts";
import type { Graph, TensorData } from "../graph/graph.ts";
import { type Layer, outputsOf } from "./layers.ts";
import { patchesOf } from "./patches.ts";

/** One matrix, or one an input channel. */
export interface Moments {
  readonly size: number;
  readonly matrices: readonly Float64Array[];
  /** the matrix of an output */
  of(output: number): Float64Array;
}

/** Patches a layer: so many times its size, but no more than so many multiplications in all. */
const PER_SIZE = 4;
const LEAST_PATCHES = 512;
const MOST_PRODUCTS = 1.5e9;

/** By layer name; `graph` is the integer graph, whose inputs to the layers carry its own errors. */
export function moments(
  graph: Graph,
  layers: readonly Layer[],
  inputs: readonly (readonly TensorData[])[],
): ReadonlyMap<string, Moments> {
  const at = (id: number) => graph.tensors[id]!;
  const collectors = layers.map((layer) => {
    const weights = at(layer.inputs[1]!);
    const patches = patchesOf(layer, at(layer.inputs[0]!), weights, at(layer.outputs[0]!));
    const isDepthwise = layer.op === "depthwiseConv2d";
    const channels = isDepthwise ? at(layer.inputs[0]!).shape[3]! : 1;
    const size = patches.size / channels;
    const wanted = Math.min(
      Math.max(LEAST_PATCHES, PER_SIZE * size),
      Math.max(64, MOST_PRODUCTS / (patches.size * size)),
    );
    const total = patches.count * inputs.length;
    return {
      layer,
      patches,
      channels,
      size,
      stride: Math.max(1, Math.floor(total / wanted)),
      matrices: Array.from({ length: channels }, () => new Float64Array(size * size)),
      row: new Float64Array(patches.size),
      outputs: outputsOf(layer, weights),
    };
  });
  watch(
    graph,
    layers.map(({ inputs: [x] }) => x!),
    inputs,
    (id, real, set) => {
      for (const one of collectors) {
        if (one.layer.inputs[0] !== id) continue;
        const { patches, stride } = one;
        // another phase a set, so that all places are seen
        for (let i = (set * 7919) % stride; i < patches.count; i += stride) {
          one.row.fill(0);
          patches.visit(i, (cell, place) => {
            one.row[cell] = real[place]!;
          });
          addOuter(one);
        }
      }
    },
  );
  return new Map(
    collectors.map(({ layer, size, matrices, channels, outputs }) => {
      for (const matrix of matrices) mirror(matrix, size);
      return [
        layer.name,
        { size, matrices, of: (output: number) => matrices[Math.floor((output * channels) / outputs)]! },
      ];
    }),
  );
}

/** The upper half of x xᵀ, for each channel of its own. */
function addOuter({
  row,
  matrices,
  size,
  channels,
}: {
  readonly row: Float64Array;
  readonly matrices: readonly Float64Array[];
  readonly size: number;
  readonly channels: number;
}): void {
  for (let c = 0; c < channels; c++) {
    const matrix = matrices[c]!;
    for (let i = 0; i < size; i++) {
      const value = row[i * channels + c]!;
      if (value === 0) continue;
      const base = i * size;
      for (let j = i; j < size; j++) matrix[base + j]! += value * row[j * channels + c]!;
    }
  }
}

function mirror(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
}

/** Σ dᵀ H d of an output's weight errors. */
export function outputError(matrix: Float64Array, errors: Float64Array): number {
  const size = errors.length;
  let total = 0;
  for (let i = 0; i < size; i++) {
    if (errors[i] === 0) continue;
    let sum = 0;
    for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * errors[j]!;
    total += errors[i]! * sum;
  }
  return total;
}
