// Random int16 activations, symmetric int8 weights and biases of either width.

import { elementCount, type Tensor } from "../../tools/graph/graph.ts";
import { constant, quant } from "./graphs.ts";
import type { Random } from "./random.ts";

export type BiasKind = "none" | "int32" | "int64";

/** int16 values, one in eight of them −32768 or 32767. */
export function int16Activations(count: number, random: Random): Int16Array {
  return Int16Array.from({ length: count }, () => {
    const kind = random.word() % 16;
    return kind === 0 ? -32768 : kind === 1 ? 32767 : random.integer(-32768, 32767);
  });
}

/** Weights with a scale an output channel, the first axis. */
export function symmetricWeights(shape: readonly number[], outC: number, random: Random): Tensor {
  const scales = Array.from({ length: outC }, () => random.real(0.0005, 0.004));
  return constant("w", shape, "int8", random.int8(elementCount(shape)), quant(scales));
}

export function wideBias(kind: BiasKind, outC: number, random: Random): Tensor | undefined {
  const values = Array.from({ length: outC }, () => random.integer(-500000, 500000));
  if (kind === "none") return undefined;
  if (kind === "int32") return constant("b", [outC], "int32", Int32Array.from(values));
  return constant(
    "b",
    [outC],
    "int64",
    BigInt64Array.from(values, (value) => BigInt(value) * 1001n),
  );
}
