import { defineConfig } from "vitest/config";

/** What takes too long for every run of the suite. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts"],
    globalSetup: ["test/support/build.ts", "test/support/own-environment.ts"],
    testTimeout: 600_000,
    // As long as what is waited for may take beside other work: a second, the default, is over soon.
    expect: { poll: { timeout: 15_000, interval: 20 } },
  },
});
