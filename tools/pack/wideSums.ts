// int16 activations × int8 weights: TFLite's three rules from an exact sum to int16, and the blocks in
// which the core reads weights, biases and scaling (drawn in assembly/numeric/wideSums.ts).
// Invariant: every sum stays below 2^47, where the 15-bit multiplier's product still fits 64 bits.

import { ToolError } from "../errors.ts";
import { fixedPoint, multiplyFixedPoint } from "../ops/fixedPoint.ts";

/**
 * q15: (sum · m + half) >> shift with the multiplier rounded to 15 bits: conv2d with an int64 bias.
 * q31: the sum as an int32 by a Q31 multiplier, rounded twice: conv2d with an int32 bias.
 * float64: round(f64(sum) · factor), halves away from zero: fullyConnected.
 */
export type WideRule = "q15" | "q31" | "float64";

export interface WideProducts {
  /** [outputs][cells], symmetric: zero point 0 */
  readonly weights: Int8Array;
  readonly outputs: number;
  readonly bias: Int32Array | BigInt64Array | undefined;
  /** per output, f64(s_x) · f64(s_w) / f64(s_y) */
  readonly factors: Float64Array;
  readonly rule: WideRule;
}

const MOST_SUM = 2 ** 47;
const CELL = 16;
const HEAD = 128;

interface Q15 {
  readonly multiplier: number;
  /** bits to shift right */
  readonly shift: number;
}

function q15(factor: number): Q15 {
  const { multiplier, shift } = fixedPoint(factor);
  return { multiplier: multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff, shift: 15 - shift };
}

/** The output for an exact sum, before the clamp. */
export function wideOutput(rule: WideRule, sum: number, factor: number): number {
  switch (rule) {
    case "q15": {
      const { multiplier, shift } = q15(factor);
      return Number((BigInt(sum) * BigInt(multiplier) + (1n << BigInt(shift - 1))) >> BigInt(shift));
    }
    case "q31":
      return multiplyFixedPoint(Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), sum)), fixedPoint(factor));
    case "float64": {
      const real = sum * factor;
      const whole = Math.trunc(real);
      return Math.abs(real - whole) >= 0.5 ? whole + Math.sign(real) : whole;
    }
  }
}

/** Throws where a sum or a scale is more than the rules take. */
export function checkWide({ weights, outputs, bias, factors, rule }: WideProducts, node: string): void {
  const cells = weights.length / outputs;
  for (let n = 0; n < outputs; n++) {
    const magnitude = weights.subarray(n * cells, (n + 1) * cells).reduce((sum, w) => sum + Math.abs(w), 0);
    const most = 32768 * magnitude + Math.abs(Number(bias?.[n] ?? 0));
    if (most >= MOST_SUM) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: output channel ${n} can sum to ${most}, past 2^47; use smaller weights or biases.`,
      );
    }
    // The Q31 rule shifts the sum left in 32 bits, the Q15 one needs a shift to the right.
    if (rule !== "float64" && factors[n]! >= (rule === "q31" ? 1 : 128)) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node}: output channel ${n} scales its sum up by ${factors[n]}; choose a larger output scale.`,
      );
    }
  }
}

export function wideBlocks({ weights, outputs, bias, factors, rule }: WideProducts): Uint8Array {
  const cells = weights.length / outputs;
  const blockBytes = HEAD + Math.ceil(cells / 2) * CELL;
  const bytes = new Uint8Array(Math.ceil(outputs / 8) * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < outputs; n++) {
    const block = (n >> 3) * blockBytes;
    const lane = n & 7;
    view.setBigInt64(block + 8 * lane, BigInt(bias?.[n] ?? 0), true);
    const scaling = block + 64 + 8 * lane;
    if (rule === "float64") view.setFloat64(scaling, factors[n]!, true);
    else {
      const { multiplier, shift } = rule === "q15" ? q15(factors[n]!) : fixedPoint(factors[n]!);
      view.setInt32(scaling, multiplier, true);
      view.setInt32(scaling + 4, shift, true);
    }
    for (let k = 0; k < cells; k++) {
      view.setInt8(block + HEAD + (k >> 1) * CELL + lane * 2 + (k & 1), weights[n * cells + k]!);
    }
  }
  return bytes;
}
