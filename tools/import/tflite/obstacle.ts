// Why an operator cannot be imported. Thrown by an operator's importer and collected by import.ts,
// so that one error names everything that stands in a model's way.
// Invariant: leaves this folder only inside the ToolError that `obstacleError` makes.

import { ToolError } from "../../errors.ts";

export class Obstacle extends Error {
  override readonly name = "Obstacle";
  /** UNSUPPORTED: this version cannot; BAD_GRAPH: the model contradicts itself */
  readonly code: "UNSUPPORTED" | "BAD_GRAPH";
  /** what to do about it; equal advice is printed once */
  readonly advice: string;

  /** `what` is a clause with operator, tensor, expected and got. */
  constructor(code: "UNSUPPORTED" | "BAD_GRAPH", what: string, advice: string) {
    super(what);
    this.code = code;
    this.advice = advice;
  }
}

export const ADVICE = {
  quantize: "quantize the model fully to int8 first (full-integer post-training quantization)",
  convert: "the file contradicts itself; convert the model again",
  replace: "replace the operator in the source model, or leave it out and compute it outside the model",
} as const;

const SHOWN = 20;

export function obstacleError(file: string, obstacles: readonly Obstacle[]): ToolError {
  const code = obstacles.some((obstacle) => obstacle.code === "UNSUPPORTED") ? "UNSUPPORTED" : "BAD_GRAPH";
  const [first] = obstacles;
  if (first !== undefined && obstacles.length === 1) {
    return new ToolError(code, `${file} cannot be imported: ${first.message}; ${first.advice}.`);
  }
  const lines = [`${file} cannot be imported, for ${obstacles.length} reasons:`];
  for (const advice of new Set(obstacles.slice(0, SHOWN).map((obstacle) => obstacle.advice))) {
    const group = obstacles.slice(0, SHOWN).filter((obstacle) => obstacle.advice === advice);
    for (const obstacle of group) lines.push(`  - ${obstacle.message}`);
    lines.push(`    → ${advice}.`);
  }
  if (obstacles.length > SHOWN) lines.push(`  … and ${obstacles.length - SHOWN} more`);
  return new ToolError(code, lines.join("\n"));
}
