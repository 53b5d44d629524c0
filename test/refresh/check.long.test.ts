import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { createKeyHost, bearerOf } from "../support/broker.js";
import { createMachine, executables, type Machine, type RunOptions } from "../support/machine.js";

const check = async (machine: Pick<Machine, "refresh">, env: NonNullable<RunOptions["env"]> = {}) => {
  const { exitCode, stdout, stderr } = await machine.refresh({ args: ["--check"], env });
  return { exitCode, stderr, ...JSON.parse(stdout) };
};

/** Resolves once GitHub was asked this so often. */
const asked = async ({ github }: Machine, what: string, times: number) =>
  vi.waitFor(
    () => {
      const matching = github.requests.filter(({ method, path }) => `${method} ${path}` === what);
      if (matching.length < times) throw new Error(`GitHub was asked ${what} ${matching.length} times`);
    },
    { timeout: 15_000, interval: 5 },
  );

const nothingKnown = { clock_offset_seconds: null, rate_limit: null, repositories: null, permissions: null };

describe.concurrent("takopi-refresh-github-token --check", () => {
  test("tells that all is well, and what the held token can do", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    expect(await check(machine)).toEqual({
      exitCode: 0,
      stderr: "",
      ok: true,
      sentence: expect.stringMatching(
        /^All well: App example-app and its installation 987654 \(acme\) answer; the held token works, with (59|60) min left, 4999 of 5000 calls left this hour and 2 repositories in reach\.$/,
      ),
      clock_offset_seconds: 0,
      rate_limit: { limit: 5000, remaining: 4999, reset_at: expect.stringMatching(/^[-\d]+T[:\d]+Z$/) },
      repositories: 2,
      permissions: { contents: "write", issues: "write", metadata: "read", pull_requests: "write" },
    });
  });

  test("mints nothing, changes nothing and logs nothing", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const [before, log] = [machine.read(machine.paths.tokenEnvFile), machine.log()];
    await check(machine);
    expect(machine.github.mints).toBe(1);
    expect(
      machine.github.requests
        .slice(2)
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    ).toEqual([
      "GET /app",
      "GET /app/installations/987654",
      "GET /installation/repositories?per_page=1",
      "GET /rate_limit",
    ]);
    expect(machine.read(machine.paths.tokenEnvFile)).toBe(before);
    expect(machine.log()).toEqual(log);
    expect(existsSync(join(machine.home, ".local/state/takopi/github-token-refresh.lock"))).toBe(true);
  });

  test("does not wait for a refresh that is running", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const release = machine.github.hold();
    const refresh = machine.start([executables.refresh, "--force"]);
    await asked(machine, "POST /app/installations/987654/access_tokens", 2);
    const checking = check(machine);
    await asked(machine, "GET /app", 1);
    release();
    expect(await checking).toMatchObject({ exitCode: 0, ok: true });
    await refresh.ended;
  });

  test("counts the repositories and names the permissions of a narrowed token", async () => {
    await using machine = await createMachine();
    const env = { GITHUB_APP_REPOSITORIES: "acme/site", GITHUB_APP_PERMISSIONS: "contents:read" };
    await machine.refresh({ env });
    expect(await check(machine, env)).toMatchObject({
      ok: true,
      repositories: 1,
      permissions: { contents: "read", metadata: "read" },
    });
  });

  test("looks the installation up where only a repository is named", async () => {
    await using machine = await createMachine();
    const env = { GITHUB_APP_INSTALLATION_ID: "", GITHUB_APP_REPOSITORIES: "acme/site" };
    machine.write(
      machine.paths.appEnvFile,
      machine.read(machine.paths.appEnvFile).replace(/^GITHUB_APP_INSTALLATION_ID=.*\n/m, ""),
    );
    await machine.refresh({ env });
    expect(await check(machine, env)).toMatchObject({ ok: true, exitCode: 0, repositories: 1 });
  });

  test.each([-1800, 90])("measures a clock that is off by %i s", async (seconds) => {
    await using machine = await createMachine();
    machine.github.setClockOffset(seconds * 1000);
    await machine.refresh();
    const { ok, clock_offset_seconds } = await check(machine);
    expect(ok).toBe(true);
    expect(Math.abs(clock_offset_seconds - seconds)).toBeLessThanOrEqual(1);
  });

  test.each<[string, RunOptions["env"], number, RegExp]>([
    ["an App that is not there", { GITHUB_APP_ID: "42" }, 78, /has no App 42/],
    ["swapped ids", { GITHUB_APP_ID: "987654", GITHUB_APP_INSTALLATION_ID: "123456" }, 78, /are swapped/],
    [
      "an installation that is not there",
      { GITHUB_APP_INSTALLATION_ID: "1" },
      78,
      /It is installed as 987654 \(acme\)/,
    ],
    ["a repository out of reach", { GITHUB_APP_REPOSITORIES: "acme/lost" }, 78, /does not reach acme\/lost/],
    ["another owner's repository", { GITHUB_APP_REPOSITORIES: "else/site" }, 78, /is acme's/],
    [
      "a permission that was not granted",
      { GITHUB_APP_PERMISSIONS: "actions:write" },
      78,
      /not granted actions:write/,
    ],
    [
      "GitHub away",
      { GITHUB_API_URL: "http://127.0.0.1:9" },
      75,
      /^127\.0\.0\.1:9 cannot be reached: it refuses connections\.$/,
    ],
    ["wrong settings", { GITHUB_APP_ID: "two words" }, 78, /GITHUB_APP_ID must be a number/],
    ["no home", { HOME: "", GITHUB_APP_ID: "x y" }, 78, /./],
  ])("says in JSON what is wrong: %s", async (_what, env, exitCode, sentence) => {
    await using machine = await createMachine();
    await machine.refresh();
    const result = await check(machine, env);
    expect(result).toMatchObject({ ok: false, exitCode, stderr: "" });
    expect(result.sentence).toMatch(sentence);
    expect(Object.keys(nothingKnown).filter((name) => !(name in result))).toEqual([]);
    expect(machine.github.mints).toBe(1);
  });

  test("a suspended installation and a key that others can read take a person", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    machine.github.suspend(987_654);
    const suspended = await check(machine);
    expect(suspended).toMatchObject({ ok: false, exitCode: 78, repositories: null });
    expect(suspended.sentence).toMatch(/Installation 987654 of App 123456 is suspended/);
    machine.github.suspend(987_654, false);
    machine.write(machine.paths.privateKey, machine.pem, 0o644);
    const open = await check(machine);
    expect(open).toMatchObject({ ok: false, exitCode: 78, repositories: 2 });
    expect(open.sentence).toMatch(/chmod 600/);
  });

  test("a token that is missing, dead or spent is mended by the next refresh", async () => {
    await using machine = await createMachine();
    const missing = await check(machine);
    expect(missing).toMatchObject({ ok: false, exitCode: 75, permissions: { contents: "write" } });
    expect(missing.sentence).toMatch(
      /^There is no token in ~\/\.config\/takopi\/github-token\.env: run takopi-/,
    );
    await machine.refresh();
    machine.github.refuse("rate_limited", { path: "/installation/repositories" });
    const spent = await check(machine);
    expect(spent).toMatchObject({ ok: false, exitCode: 75, repositories: null, rate_limit: { limit: 5000 } });
    expect(spent.sentence).toMatch(/limits our rate/);
    machine.github.revoke(machine.heldToken() ?? "");
    const dead = await check(machine);
    expect(dead).toMatchObject({ ok: false, exitCode: 75 });
    expect(dead.sentence).toMatch(/^The held token does not work: .* HTTP 401/);
    const held = machine.read(machine.paths.tokenEnvFile);
    machine.write(machine.paths.tokenEnvFile, held.replace(/EPOCH=\d+/, "EPOCH=1700000000"));
    expect((await check(machine)).sentence).toMatch(/^The held token has expired: run /);
  });

  test("ends at its deadline, and when it is told to, with JSON all the same", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    for (const path of ["/app", "/rate_limit"]) machine.github.refuse("stall", { path, times: Infinity });
    const late = await check(machine, { GHAUTH_REFRESH_DEADLINE_SECONDS: "1" });
    expect(late).toMatchObject({ ok: false, exitCode: 75, ...nothingKnown });
    expect(late.sentence).toMatch(/gave no answer in /);
    const running = machine.start([executables.refresh, "--check"]);
    await asked(machine, "GET /app", 2);
    const { exitCode, stdout } = await running.stop("SIGTERM");
    expect({ exitCode, ...JSON.parse(stdout) }).toEqual({
      exitCode: 75,
      ok: false,
      sentence: "Stopped by SIGTERM before the check was done.",
      ...nothingKnown,
    });
  });
});

describe.concurrent("--check of other sources", () => {
  test("a command is looked for and not run", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const script = join(machine.home, "vault");
    machine.write(script, `#!/bin/sh\necho ran >'${machine.root}/ran'\n`, 0o755);
    const env = { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "~/vault read" };
    expect(await check(machine, env)).toMatchObject({
      ok: true,
      exitCode: 0,
      repositories: 2,
      permissions: null,
    });
    expect(existsSync(join(machine.root, "ran"))).toBe(false);
    machine.write(script, "", 0o644);
    expect(await check(machine, env)).toMatchObject({
      exitCode: 78,
      sentence: expect.stringMatching(/is not executable/),
    });
    const missing = { ...env, GITHUB_TOKEN_COMMAND: "no-such-vault" };
    expect(await check(machine, missing)).toMatchObject({
      exitCode: 78,
      sentence: "GITHUB_TOKEN_COMMAND no-such-vault was not found.",
    });
  });

  test("a broker is asked whether it is ready and knows this host, and gives no token for it", async () => {
    await using host = await createKeyHost();
    host.letIn({ build: 'repositories = ["acme/*"]\nworkspaces = ["build"]' });
    const broker = await host.startBroker();
    await using agent = await createMachine();
    const bearer = join(agent.root, "bearer");
    agent.write(bearer, bearerOf("build"));
    const env = {
      GITHUB_TOKEN_SOURCE: "broker",
      GITHUB_API_URL: host.baseUrl,
      GHAUTH_BROKER_URL: `${broker.url}/`,
      GHAUTH_BROKER_TOKEN_FILE: bearer,
      GHAUTH_BROKER_WORKSPACE: "build",
      GITHUB_APP_PERMISSIONS: "contents:read",
    };
    rmSync(agent.paths.privateKey);
    await agent.refresh({ env });
    const mints = host.github.mints;
    const well = await check(agent, env);
    expect(well).toMatchObject({ ok: true, exitCode: 0, repositories: 2, permissions: { contents: "read" } });
    expect(well.sentence).toMatch(
      /the broker 127\.0\.0\.1:\d+ is ready and knows this host; the held token works/,
    );
    expect(host.github.mints).toBe(mints);

    expect((await check(agent, { ...env, GHAUTH_BROKER_WORKSPACE: "else" })).sentence).toMatch(
      /does not allow this host/,
    );
    agent.write(bearer, bearerOf("nobody"));
    expect(await check(agent, env)).toMatchObject({
      exitCode: 78,
      sentence: expect.stringMatching(/does not know this host's bearer token/),
    });
    const away = await check(agent, { ...env, GHAUTH_BROKER_URL: "http://127.0.0.1:9" });
    expect(away).toMatchObject({
      exitCode: 75,
      repositories: 2,
      sentence: expect.stringMatching(/The broker has no answer/),
    });
  });
});
