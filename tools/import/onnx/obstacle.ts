// Why a node cannot be imported. Invariant: leaves this folder only inside the ToolError that `obstacleError` makes.

import { ToolError } from "../../errors.ts";

export class Obstacle extends Error {
  override readonly name = "Obstacle";
  /** what to do, or the closest thing that can be imported */
  readonly advice: string;
  /** a value that would have to be constant */
  readonly needs: string | undefined;

  constructor(what: string, advice: string, needs?: string) {
    super(what);
    this.advice = advice;
    this.needs = needs;
  }
}

/** One reason, with the node where it stands. */
export interface Reason {
  readonly node: string;
  readonly operator: string;
  readonly opset: number;
  readonly why: string;
  readonly advice: string;
  readonly needs: readonly string[];
}

export function reasonText({ node, operator, opset, why, advice }: Reason): string {
  return `${operator} (opset ${opset}) "${node}": ${why}; ${advice}`;
}

export class ImportError extends ToolError {
  readonly reasons: readonly Reason[];
  constructor(file: string, reasons: readonly Reason[]) {
    const lines = reasons.map(reasonText);
    const text =
      lines.length === 1
        ? `${file} cannot be imported: ${lines[0]}.`
        : [
            `${file} cannot be imported, for ${lines.length} reasons:`,
            ...lines.slice(0, 40).map((line) => `  - ${line}.`),
          ].join("\n");
    super("UNSUPPORTED", lines.length > 40 ? `${text}\n  … and ${lines.length - 40} more` : text);
    this.reasons = reasons;
  }
}
