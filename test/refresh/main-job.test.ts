import { statSync } from "node:fs";
import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

test("a refresh mints a token that works and writes it where gh, git and agents look", async () => {
  await using machine = await createMachine();

  const { exitCode, stdout, stderr } = await machine.refresh();

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^Refreshed: token ghs_1234… \(sha256 [0-9a-f]{8}\), valid until \S+Z \(59 min\)/);
  expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  expect(machine.read(machine.paths.tokenEnvFile)).toMatch(
    /^GITHUB_TOKEN=(ghs_\S+)\nGH_TOKEN=\1\nGITHUB_TOKEN_EXPIRES_AT=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nGITHUB_TOKEN_EXPIRES_EPOCH=\d{10}\n$/,
  );
  expect(statSync(machine.paths.tokenEnvFile).mode & 0o777).toBe(0o600);
  expect(statSync(machine.paths.refreshLog).mode & 0o777).toBe(0o600);
  expect(machine.log()).toMatchObject([{ trigger: "manual", ok: true, exit: 0, code: "refreshed" }]);
});
