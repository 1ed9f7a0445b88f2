// What the suite asks of an engine. Invariant: an engine says why it cannot run instead of running something else.
import type { VectorSet } from "./vectors.ts";

export type Build = "scalar" | "simd" | "relaxed";

export interface Outcome {
  readonly model: string;
  readonly equal: boolean;
}

export interface Report {
  readonly version: string;
  readonly outcomes: readonly Outcome[];
  /** milliseconds of a run of the set's timed model; absent where they would mean nothing */
  readonly ms?: number;
  /** that the host refused the build that was asked for, and took this one */
  readonly refusedFor?: Build;
}

export interface Engine {
  readonly name: string;
  readonly builds: readonly Build[];
  /** whether `.ci/run` installs it */
  readonly quick: boolean;
  /** why it is not run here, as a test's reason to skip; undefined when it is */
  absent(): string | undefined;
  run(build: Build, set: VectorSet): Promise<Report> | Report;
}
