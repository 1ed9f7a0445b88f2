// Every export of the core, and nothing else. Zero imports; the memory is exported and grown only
// by the host, once, before `load`.

import { Build, Status } from "./abi";
import { failedAt, isLoaded, loadPlan, runAll, runRange } from "./execute";
import { narrow, setNarrow, setWords } from "./simd/machine";
import { relaxedWorth } from "./simd/relaxedTest";
import { startState } from "./state";

/** Which build this is, and what it is worth here: a `Build` code. To be asked once, before `load`. */
export function build(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return relaxedWorth();
  return ASC_FEATURE_SIMD ? Build.Simd : Build.Scalar;
}

/** The first address that a model's image may take; the core's own few bytes lie below. */
export function heapBase(): usize {
  return __heap_base;
}

/** Validates the plan whose image lies at `base`, with `available` bytes of memory from there. Returns a `Status`. */
export function load(base: usize, available: u32): i32 {
  return loadPlan(base, available);
}

/** Which inner loops `load` chose: 1 those for arm64, 0 those for x86. */
export function isNarrow(): i32 {
  return ASC_FEATURE_SIMD ? <i32>narrow : 0;
}

/**
 * Chooses other inner loops than `load` did: 1 for those of arm64, 2 (relaxed build) for sums of relaxed dots in int16,
 * 0 for neither. The bytes stay the same, the time does not.
 */
export function useNarrow(on: i32): void {
  if (ASC_FEATURE_SIMD) setNarrow((on & 1) != 0);
  if (ASC_FEATURE_RELAXED_SIMD) setWords((on & 2) != 0);
}

/** The index of the step that `load` refused, or −1 when it refused the header. */
export function failedStep(): i32 {
  return failedAt();
}

/** Runs the whole plan once. Returns a `Status`. */
export function run(): i32 {
  return runAll();
}

/** Runs steps `from` … `to` − 1 of the plan, for profiling. Returns a `Status`. */
export function runSteps(from: i32, to: i32): i32 {
  return runRange(from, to);
}

/**
 * Starts a stream anew: the state becomes what the model starts with. To be called once after `load`, too, where the
 * plan has a state (Plan.StateBytes); saving is reading those bytes of the arena. Returns a `Status`.
 */
export function resetState(): i32 {
  if (!isLoaded()) return Status.NotLoaded;
  startState();
  return Status.Ok;
}
