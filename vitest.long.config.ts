import { defineConfig } from "vitest/config";

/** What takes too long for every run of the suite. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 600_000,
  },
});
