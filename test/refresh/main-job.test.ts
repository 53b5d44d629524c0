import { createHash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMachine, executables } from "../support/machine.js";

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

test("a wrong option ends with 64 and the usage, and nothing is tried", async () => {
  await using machine = await createMachine();

  for (const args of [["--frce"], ["now"], ["--force=yes"]]) {
    const { exitCode, stdout, stderr } = await machine.refresh({ args });
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toMatch(/^Usage: takopi-refresh-github-token \[options\]\n/);
  }
  expect(await machine.refresh({ args: ["--help"] })).toMatchObject({ exitCode: 0, stderr: "" });
  expect(machine.github.requests).toEqual([]);
  expect(machine.log()).toEqual([]);
});

test("a reader that went away does not keep the token from being published", async () => {
  await using machine = await createMachine();

  await machine.run(["sh", "-c", '"$0" | true', executables.refresh]);

  await expect.poll(() => machine.holdsToken()).toBe(true);
});

test("a run that is stopped while gh is updated logs the token that it has published", async () => {
  await using machine = await createMachine();
  const bin = join(machine.root, "bin");
  machine.write(join(bin, "gh"), "#!/bin/sh\nexec sleep 60\n", 0o755);
  const running = machine.start([executables.refresh], {
    env: { GH_AUTH: "auto", PATH: `${bin}:${machine.env["PATH"] ?? ""}` },
  });
  await expect.poll(() => machine.holdsToken(), { timeout: 15_000 }).toBe(true);
  await running.stop("SIGTERM");

  const published = createHash("sha256").update(machine.heldToken()).digest("hex").slice(0, 8);
  expect(machine.log()).toMatchObject([
    {
      ok: false,
      code: "stopped",
      sentence: expect.stringContaining("after the new token was published"),
      expires_at: expect.stringMatching(/Z$/),
      sha256: published,
    },
  ]);
  const { stdout } = await machine.ghauth(["history", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ uptime: 1, longest_gap_seconds: 0 });
});

test("without a first token and without a key, a person is told where it belongs", async () => {
  await using machine = await createMachine();
  rmSync(machine.paths.privateKey);

  const { exitCode, stderr } = await machine.refresh();

  expect({ exitCode, stderr }).toEqual({
    exitCode: 78,
    stderr: expect.stringMatching(
      /^There is no private key at .*github-app\.pem: copy the App's \.pem there/,
    ),
  });
});
