// The numbers that quantized operators share: multipliers, clamp ranges, rounding.
// Invariant: everything here is float32 exactly where XNNPACK's fp32 path is, by Math.fround.

import { ToolError } from "../errors.ts";
import type { Activation, Quantization, Tensor } from "../graph/graph.ts";

/** Smallest and largest value of an integer activation dtype. */
export function integerRange(dtype: string): readonly [number, number] {
  switch (dtype) {
    case "int8":
      return [-128, 127];
    case "uint8":
      return [0, 255];
    case "int16":
      return [-32768, 32767];
    default:
      throw new Error(`${dtype} has no quantized range`);
  }
}

/** The tensor's one scale and zero point. Throws BAD_GRAPH when it has none or is per channel. */
export function perTensor(tensor: Tensor, node: string): { scale: number; zeroPoint: number } {
  const quant = tensor.quant;
  if (quant?.scale.length !== 1) {
    const got = quant ? `${quant.scale.length} scales` : "no quantization";
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: tensor "${tensor.name}" (${tensor.dtype}) needs one scale and zero point but has ${got}; quantize the model per tensor for activations.`,
    );
  }
  return { scale: quant.scale[0]!, zeroPoint: quant.zeroPoint[0]! };
}

/** Rounds to the nearest integer, ties to even, as float32 `nearest` does. */
export function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The integers between which a fused activation leaves the output: [min, max], both inclusive. */
export function clampRange(activation: Activation, output: Tensor, node: string): readonly [number, number] {
  const [least, most] = integerRange(output.dtype);
  if (activation === "none") return [least, most];
  const { scale, zeroPoint } = perTensor(output, node);
  const bounds = { relu: [0, Infinity], relu6: [0, 6], reluN1To1: [-1, 1] }[activation] as [number, number];
  return realRange(bounds[0], bounds[1], scale, zeroPoint, least, most);
}

/** The integers of real values `low` … `high`, inside the dtype's range. */
export function realRange(
  low: number,
  high: number,
  scale: number,
  zeroPoint: number,
  least: number,
  most: number,
): readonly [number, number] {
  const at = (real: number): number => roundEven(Math.fround(real / scale)) + zeroPoint;
  const min = low === -Infinity ? least : Math.min(most, Math.max(least, at(low)));
  const max = high === Infinity ? most : Math.max(least, Math.min(most, at(high)));
  return [min, max];
}

/** Per output channel: f32(f32(sx · sw[c]) / sy). */
export function multipliers(
  inputScale: number,
  weights: Quantization,
  outputScale: number,
  channels: number,
): Float32Array {
  const result = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const weightScale = weights.scale[weights.scale.length === 1 ? 0 : c]!;
    result[c] = Math.fround(Math.fround(inputScale * weightScale) / outputScale);
  }
  return result;
}

/** q = clamp(rne(f32(acc) · f32(multiplier)) + zeroPoint): the integer rule of every product in the core. */
export function requantize(acc: number, multiplier: number, zeroPoint: number, min: number, max: number): number {
  const q = roundEven(Math.fround(Math.fround(acc) * multiplier)) + zeroPoint;
  return Math.min(max, Math.max(min, q));
}
