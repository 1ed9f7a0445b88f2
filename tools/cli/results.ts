// One output as a person or a program wants it: its best classes, or what range its values have.
// Invariant: scores are real values, scale · (q − zeroPoint), whatever the dtype of the output.

import type { PortHeader, TensorArray } from "../../host/targets/node.ts";
import { count, table } from "./table.ts";

const TOP = 5;

export interface Score {
  readonly index: number;
  readonly label: string | null;
  readonly score: number;
}

export interface Result {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly file?: string;
  /** the five best classes, best first; of an output that is not one row of scores, nothing */
  readonly top: readonly Score[];
  readonly min: number;
  readonly max: number;
  /** the flat index of the greatest value, the first of equals */
  readonly argmax: number;
}

export function describeOutput(port: PortHeader, values: TensorArray, file?: string): Result {
  const { name, shape, dtype, storage, scale, zeroPoint = 0, labels } = port;
  // a float32 edge has been dequantized by the host
  const affine = scale !== undefined && dtype === storage && dtype !== "float32";
  const real = Float32Array.from(values, (value) => (affine ? scale * (value - zeroPoint) : value));
  let [min, max, argmax] = [Infinity, -Infinity, 0];
  for (const [i, value] of real.entries()) {
    if (value < min) min = value;
    if (value > max) [max, argmax] = [value, i];
  }
  const isRow = real.length > 1 && real.length === shape.at(-1);
  const order = isRow ? [...real.keys()].sort((a, b) => real[b]! - real[a]! || a - b).slice(0, TOP) : [];
  const top = order.map((index) => ({ index, label: labels?.[index] ?? null, score: real[index]! }));
  return { name, shape, dtype, ...(file !== undefined && { file }), top, min, max, argmax };
}

const real = (value: number): string => (Number.isInteger(value) ? `${value}` : value.toPrecision(4));

export function resultText({ name, shape, dtype, file, top, min, max, argmax }: Result): string {
  const head = `${name}: ${dtype} ${shape.join("×")}${file === undefined ? "" : ` → ${file}`}`;
  if (top.some(({ label }) => label !== null)) {
    const isProbability = min >= 0 && max <= 1;
    const rows = top.map(({ index, label, score }) => [
      index,
      label ?? "",
      isProbability ? `${(score * 100).toFixed(1)} %` : real(score),
    ]);
    return `${head}\n${table(["class", "label", isProbability ? "probability" : "score"], rows, "  ")}`;
  }
  return `${head}\n  min ${real(min)}, max ${real(max)} at index ${count(argmax)}`;
}
