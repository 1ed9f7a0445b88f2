// Runs a graph on the core and hands over what chosen tensors hold, as real numbers.
// Invariant: inputs are given as float32 (int32 where the graph says so) and stored by the host's rule.

import type { Graph, Tensor, TensorData } from "../graph/graph.ts";
import { roundEven } from "../ops/quantization.ts";
import { CoreRun } from "./coreRun.ts";

/** What the host would store for a real input. */
export function storedInput(tensor: Tensor, data: TensorData): TensorData {
  const { dtype, quant } = tensor;
  if (!(data instanceof Float32Array) || dtype === "float32" || !quant) return data;
  const [scale, zero] = [quant.scale[0]!, quant.zeroPoint[0]!];
  const [low, high] = dtype === "uint8" ? [0, 255] : dtype === "int16" ? [-32768, 32767] : [-128, 127];
  const codes = Float64Array.from(data, (value) => {
    const code = roundEven(Math.fround(value / scale)) + zero;
    return Number.isNaN(code) ? zero : Math.min(high, Math.max(low, code));
  });
  return dtype === "uint8"
    ? Uint8Array.from(codes)
    : dtype === "int16"
      ? Int16Array.from(codes)
      : Int8Array.from(codes);
}

/** The real values of stored data; a new array. */
export function realValues({ quant }: Tensor, data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  const [scale, zero] = [quant?.scale[0] ?? 1, quant?.zeroPoint[0] ?? 0];
  const real = new Float32Array(data.length);
  for (let i = 0; i < real.length; i++) real[i] = scale * (Number(data[i]) - zero);
  return real;
}

/** Calls `see` for every set and every one of the tensors `ids`, with its real values. */
export function watch(
  graph: Graph,
  ids: readonly number[],
  sets: Iterable<readonly TensorData[]>,
  see: (id: number, real: Float32Array, set: number) => void,
): void {
  const inner = [...new Set(ids)].filter((id) => !graph.inputs.includes(id));
  const run = inner.length > 0 ? new CoreRun({ ...graph, outputs: inner }) : undefined;
  let count = 0;
  for (const set of sets) {
    const stored = graph.inputs.map((id, i) => storedInput(graph.tensors[id]!, set[i]!));
    for (const [i, id] of graph.inputs.entries()) {
      if (ids.includes(id)) see(id, realValues(graph.tensors[id]!, stored[i]!), count);
    }
    for (const [i, data] of (run?.run(stored) ?? []).entries()) {
      see(inner[i]!, realValues(graph.tensors[inner[i]!]!, data), count);
    }
    count++;
  }
}
