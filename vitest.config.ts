import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.long.test.ts"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 20_000,
    // Tests wait for programs more than they compute.
    maxWorkers: "100%",
  },
});
