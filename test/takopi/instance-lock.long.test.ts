import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

test("of ten hosts that start at once over a stale lock, one serves", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.takopiConfig, 'transport = "console"\n');
  const lock = machine.paths.takopiConfig.replace(".toml", ".lock");
  machine.write(lock, JSON.stringify({ pid: 999_999_999, token_fingerprint: null }));
  const hosts = Array.from({ length: 10 }, () => machine.startGhauth(["run"]));
  const losers: (number | null)[] = [];
  for (const host of hosts) void host.ended.then(({ exitCode }) => losers.push(exitCode));
  await expect.poll(() => losers.length, { timeout: 15_000, interval: 20 }).toBe(9);
  expect(losers).toEqual(Array.from({ length: 9 }, () => 75));
});
