// What conv2d and fullyConnected share where the activations are int16: symmetric, int8 weights, an
// int32, int64 or no bias, and one of TFLite's rules from the exact sum to int16 (tools/pack/wideSums.ts).

import { ToolError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { checkWide, type WideProducts, type WideRule, wideOutput } from "../pack/wideSums.ts";
import { perTensor } from "./quantization.ts";

/** Throws where a zero point is not 0 or a sum would be too large. */
export function wideProducts(
  x: Tensor,
  weights: Tensor,
  bias: Tensor | undefined,
  output: Tensor,
  rule: WideRule,
  node: string,
): WideProducts {
  for (const tensor of [x, weights, output]) {
    const offset = tensor.quant?.zeroPoint.find((zero) => zero !== 0);
    if (offset === undefined) continue;
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: "${tensor.name}" has zero point ${offset} but int16 layers take 0 only; quantize them symmetrically.`,
    );
  }
  const outputs = weights.shape[0]!;
  const { scale } = weights.quant!;
  const [from, to] = [perTensor(x, node).scale, perTensor(output, node).scale];
  const products: WideProducts = {
    weights: weights.data as Int8Array,
    outputs,
    bias: bias?.data as Int32Array | BigInt64Array | undefined,
    factors: Float64Array.from({ length: outputs }, (_, n) => (from * scale[scale.length === 1 ? 0 : n]!) / to),
    rule,
  };
  checkWide(products, node);
  return products;
}

/** One row of inputs to its outputs: the truth that every build equals. */
export function wideRow(products: WideProducts, row: ArrayLike<number>, min: number, max: number): number[] {
  const { weights, outputs, bias, factors, rule } = products;
  return Array.from({ length: outputs }, (_, n) => {
    let sum = Number(bias?.[n] ?? 0);
    for (let k = 0; k < row.length; k++) sum += row[k]! * weights[n * row.length + k]!;
    return Math.min(max, Math.max(min, wideOutput(rule, sum, factors[n]!)));
  });
}
