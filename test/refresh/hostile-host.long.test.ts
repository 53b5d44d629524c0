import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parsePrivateKey } from "../../src/github/private-key.js";
import { redact } from "../../src/token/redact.js";
import { Secret } from "../../src/token/secret.js";
import { createMachine, executables, type Machine } from "../support/machine.js";

const helper = join(executables.refresh, "../git-credential-ghauth");
const day = 86_400;
const epochNow = () => Math.floor(Date.now() / 1000);

/** The token env file as a clock wrote it that has been set back by so many seconds since. */
function writeAhead(machine: Machine, seconds: number): void {
  const token = `ghs_${"0123456789".repeat(4)}`;
  machine.write(
    machine.paths.tokenEnvFile,
    `GITHUB_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=${epochNow() + seconds + 3600}\n`,
  );
  utimesSync(machine.paths.tokenEnvFile, epochNow() + seconds, epochNow() + seconds);
}

describe.each([
  ["a day", day],
  ["4 minutes", 240],
])("a clock that was set back by %s", (_what, seconds) => {
  test("does not keep the refresh script from minting", async () => {
    await using machine = await createMachine();
    writeAhead(machine, seconds);
    const { exitCode, stdout } = await machine.refresh({ env: { GHAUTH_SEEN_EPOCH: String(epochNow()) } });
    expect([exitCode, machine.github.mints]).toEqual([0, 1]);
    expect(stdout).toMatch(/^Refreshed: /);
  });

  test("makes what it wrote stale, and status says why", async () => {
    await using machine = await createMachine();
    writeAhead(machine, seconds);
    const { exitCode, stdout } = await machine.ghauth(["status"]);
    expect([exitCode, stdout.split("\n")[0]]).toEqual([1, "GitHub token: stale"]);
    expect(stdout).toContain("was written by a clock that has been set back since: run /ghauth refresh");
  });

  test("does not make exec run a command with a token that may be dead", async () => {
    await using machine = await createMachine();
    writeAhead(machine, seconds);
    const { stdout } = await machine.ghauth(
      ["exec", "--", "sh", "-c", 'test "$GH_TOKEN" = "$0"; echo $?', machine.heldToken()],
      {
        env: { GHAUTH_REFRESH_SCRIPT: executables.refresh },
      },
    );
    expect([stdout, machine.github.mints]).toEqual(["1\n", 1]);
  });
});

describe("a clock that was set back by a day", () => {
  test.each(["dash", "bash"])("does not make git's helper answer with a dead token (%s)", async (shell) => {
    await using machine = await createMachine();
    writeAhead(machine, day);
    const asking = promisify(execFile)(shell, [helper, "get"], {
      env: { ...machine.env, GHAUTH_REFRESH_SCRIPT: executables.refresh },
    });
    asking.child.stdin?.end("protocol=https\nhost=github.com\n\n");
    const { stdout } = await asking;
    expect(stdout).toContain(`password=${machine.heldToken()}`);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  });
});

test.each([
  ["is dead already", new Date(Date.now() - 60_000).toISOString()],
  ["dies in a moment", new Date(Date.now() + 20_000).toISOString()],
])("a token that %s never replaces another", async (_what, expiresAt) => {
  await using machine = await createMachine();
  await machine.refresh();
  const held = machine.heldToken();
  const command = `printf '%s' '{"token":"${machine.github.liveTokens[0]}","expires_at":"${expiresAt}"}'`;
  machine.write(join(machine.root, "command"), `#!/bin/sh\n${command}\n`, 0o755);
  const { exitCode, stderr } = await machine.refresh({
    env: { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: join(machine.root, "command") },
  });
  expect(exitCode).toBe(75);
  expect(stderr).toMatch(/The new token is no use: it expires at .*The old token was kept/);
  expect(machine.heldToken()).toBe(held);
});

describe("a FIFO in the place of a file hangs nobody", () => {
  test.each(["appEnvFile", "privateKey", "refreshLog", "refreshLock", "refusedToken"] as const)(
    "%s",
    async (name) => {
      await using machine = await createMachine();
      const state = join(machine.paths.refreshLog, "..");
      const paths = {
        ...machine.paths,
        refreshLock: join(state, "github-token-refresh.lock"),
        refusedToken: join(state, "refused-token"),
      };
      mkdirSync(state, { recursive: true });
      rmSync(paths[name], { force: true });
      execFileSync("mkfifo", ["-m", "600", paths[name]]);
      const { exitCode, stdout, stderr } = await machine.run(["timeout", "10", executables.refresh]);
      const status = await machine.run(["timeout", "10", process.execPath, executables.ghauth, "status"]);
      rmSync(paths[name]);
      expect([0, 78]).toContain(exitCode);
      expect(stdout + stderr).toMatch(/it is not a regular file|^Refreshed: /);
      expect([0, 1]).toContain(status.exitCode);
    },
  );
});

test("settings that anybody can write are refused, for they name programs to run", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.appEnvFile, machine.read(machine.paths.appEnvFile), 0o666);
  const { exitCode, stderr } = await machine.refresh();
  expect(exitCode).toBe(78);
  expect(stderr).toMatch(/can be written by anybody: .*chmod 600/);
});

test("whatever the umask, what is made is its user's alone and usable", async () => {
  for (const umask of ["000", "077", "777"]) {
    await using machine = await createMachine();
    const { exitCode, stderr } = await machine.run([
      "sh",
      "-c",
      `umask ${umask}; exec "$0"`,
      executables.refresh,
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(statSync(join(machine.paths.refreshLog, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(machine.paths.tokenEnvFile).mode & 0o777).toBe(0o600);
  }
});

test("the log is not written through a link to another file", async () => {
  await using machine = await createMachine();
  const target = join(machine.root, "target");
  writeFileSync(target, "mine\n", { mode: 0o644 });
  mkdirSync(join(machine.paths.refreshLog, ".."), { recursive: true });
  symlinkSync(target, machine.paths.refreshLog);
  const { exitCode, stderr } = await machine.refresh();
  rmSync(machine.paths.refreshLog);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/The refresh log .* cannot be written/);
  expect([readFileSync(target, "utf8"), statSync(target).mode & 0o777]).toEqual(["mine\n", 0o644]);
});

test("without a node the script says so, and exits with 78", async () => {
  await using machine = await createMachine();
  const { exitCode, stderr } = await machine.refresh({ env: { GHAUTH_NODE: "/no/such/node" } });
  expect(exitCode).toBe(78);
  expect(stderr).toBe(
    "Node was not found (/no/such/node): install it, or set GHAUTH_NODE to its path; the old token was kept.\n",
  );
});

test("NODE_DEBUG shows no credential", async () => {
  await using machine = await createMachine();
  const { exitCode, stderr } = await machine.refresh({ env: { NODE_DEBUG: "http,net,tls" } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});

test.each([
  "",
  "garbage",
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----",
  "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
])("what is said of the key %j survives redaction", (text) => {
  const parse = () => parsePrivateKey(new Secret(text), "GITHUB_APP_PRIVATE_KEY");
  expect(parse).toThrow(expect.objectContaining({ code: "key_invalid" }));
  expect(parse).toThrow(expect.toSatisfy((error: Error) => redact(error.message) === error.message));
});

test("a directory that cannot be made is told, and not tried for ever", async () => {
  await using machine = await createMachine();
  const env = { TOKEN_ENV_FILE: "/proc/nowhere/github-token.env" };
  const { exitCode, stderr } = await machine.refresh({ env, args: ["--force"] });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 78,
    stderr: expect.stringMatching(/\/proc\/nowhere\/github-token\.env cannot be written: /),
  });
});

test("a command's token that lives longer than GitHub's is fresh, and skipped over", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const expiresEpoch = epochNow() + 8 * 3600;
  const token = machine.heldToken();
  machine.write(
    machine.paths.tokenEnvFile,
    `GITHUB_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=${expiresEpoch}\n`,
  );
  const { stdout } = await machine.refresh({ env: { GHAUTH_SEEN_EPOCH: String(epochNow()) } });
  expect(stdout).toMatch(/nothing to do/);
  expect((await machine.ghauth(["status"])).stdout).toMatch(/^GitHub token: fresh/);
});
