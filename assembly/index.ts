// Every export of the core, and nothing else. Zero imports; the memory is exported and grown only
// by the host, once, before `load`.

import { Build } from "./abi";
import { failedAt, loadPlan, runAll, runRange } from "./execute";

/** Which build this is: a `Build` code. */
export function build(): i32 {
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
