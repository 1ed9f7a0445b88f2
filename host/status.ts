// The core's status codes as errors with a sentence. Invariant: every code of assembly/abi.ts but Ok has one.
import { Status } from "../assembly/abi.ts";
import { MoteError } from "./errors.ts";
import type { StepHeader } from "./format/header.ts";

const REASONS: Readonly<Record<number, string>> = {
  [Status.NotLoaded]: "no model is loaded",
  [Status.AbiVersion]: "its plan is of another version",
  [Status.NumericsVersion]: "its numerics are of another version",
  [Status.Header]: "its sizes do not fit the memory",
  [Status.Operator]: "the operator is unknown",
  [Status.Kernel]: "the kernel is unknown",
  [Status.Shape]: "a dimension is out of range",
  [Status.Read]: "it reads outside the model",
  [Status.Write]: "it writes outside the arena",
  [Status.Params]: "its constants are out of range",
  [Status.Scratch]: "its scratch memory does not fit",
};

/** The error for a status other than Ok; `index` is that of the refused step, −1 for the plan as a whole. */
export function statusError(status: number, index: number, steps: readonly StepHeader[]): MoteError {
  const step = steps[index];
  const place = step ? `step ${index} (${step.op} "${step.name}")` : "the plan";
  const reason = REASONS[status] ?? `status ${status}`;
  const code = status === Status.AbiVersion || status === Status.NumericsVersion ? "NO_CORE" : "BAD_MODEL";
  return new MoteError(
    code,
    `The core refuses ${place}: ${reason}; use the core of this release and pack the model again.`,
  );
}
