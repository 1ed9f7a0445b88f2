// The last lines of a test run: why each skipped test was skipped, and `N passed, N failed, N skipped`.
// Invariant: a file that cannot be loaded, a failing hook and a stray error count as failures too; under CI
// a skip without a permitted reason fails the run, so that nothing is skipped unseen. Used by vitest.config.ts.
import { writeSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";
import { isAbsent } from "../engines/find.ts";
import { ARM64_ABSENT, arm64Node } from "./arm64.ts";
import { MINILM_ABSENT, minilm } from "./minilm.ts";
import { sharedData } from "./sharedData.ts";

/** Why a test may be skipped under CI, and whether that reason is true here. */
const PERMITTED: Readonly<Record<string, () => boolean>> = {
  "../shared/data is absent": () => sharedData === undefined,
  [MINILM_ABSENT]: () => minilm === undefined,
  [ARM64_ABSENT]: () => arm64Node === undefined,
  "this Node is not 20, the one with the flag": () => !process.versions.node.startsWith("20."),
};

/** What the test said when it skipped itself; undefined for describe.skip, `-t` and the like. */
const reasonOf = (test: TestCase): string | undefined => {
  const result = test.result();
  return result.state === "skipped" ? result.note : undefined;
};

/** A reason above, or an engine that is absent and was not installed (test/engines/install.mjs). */
const isPermitted = (test: TestCase): boolean => {
  const reason = reasonOf(test) ?? "";
  return PERMITTED[reason]?.() ?? isAbsent(reason);
};

const failedHooks = (suites: Iterable<TestSuite | TestModule>): number =>
  [...suites].reduce((sum, suite) => sum + suite.errors().length, 0);

export default class Tally implements Reporter {
  #lines: string[] = [];

  constructor() {
    // not from onTestRunEnd: nothing, the other reporter's summary included, may follow the count
    process.once("exit", () => void writeSync(1, `${this.#lines.join("\n")}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed");
    const skipped = tests.filter((test) => test.result().state === "skipped");
    const unseen = process.env.CI ? skipped.filter((test) => !isPermitted(test)) : [];
    const hooks =
      failedHooks(modules) + modules.reduce((sum, { children }) => sum + failedHooks(children.allSuites()), 0);
    const skips = skipped.length - unseen.length;
    const failed = tests.length - passed.length - skips + hooks + strayErrors.length;
    if (failed > 0) process.exitCode = 1;
    this.#lines = [
      ...skipped.filter(reasonOf).map((test) => `skipped: ${reasonOf(test)} (${test.fullName})`),
      ...unseen.map((test) => `failed: CI permits no such skip: ${test.fullName}`),
      `${passed.length} passed, ${failed} failed, ${skips} skipped`,
    ];
  }
}
