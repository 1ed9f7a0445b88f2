import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Property tests and fuzzing run thousands of cases; a slow shared machine must not fail them.
    testTimeout: 120_000,
  },
});
