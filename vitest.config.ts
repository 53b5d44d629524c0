import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.long.test.ts"],
    globalSetup: ["test/support/build.ts", "test/support/own-environment.ts"],
    // For what hangs: beside other work, what does not may take a while.
    testTimeout: 60_000,
    // As long as what is waited for may take beside other work: a second, the default, is over soon.
    expect: { poll: { timeout: 15_000, interval: 20 } },
    // Tests wait for programs more than they compute.
    maxWorkers: "100%",
  },
});
