// How the tests run: every test/**/*.test.ts, with the skips and the count as the last lines.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/support/tally.ts"],
    // Property tests and fuzzing run thousands of cases; a slow shared machine must not fail them.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
