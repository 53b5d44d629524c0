import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectNoSecret } from "../support/machine.js";
import { createSidecarHost, parseLog, scopeAsked } from "../support/sidecar-host.js";

const expiryText =
  /^\{"expires_at":"[\d-]+T[\d:]+Z","refreshed_at":"[\d-]+T[\d:]+Z","sha256":"[0-9a-f]{8}"\}\n$/;

describe.concurrent("ghauth sidecar", () => {
  test("mints at once, keeps a bare token with its expiry beside it and nothing else, and ends at SIGTERM", async () => {
    await using host = await createSidecarHost();
    await using sidecar = host.startSidecar();

    await sidecar.saw('"token.refreshed"');
    expect(host.github.liveTokens).toEqual([host.token()]);
    expect(readdirSync(host.directory).sort()).toEqual(["token", "token.json"]);
    expect(host.read(`${host.tokenFile}.json`)).toMatch(expiryText);
    for (const name of ["token", "token.json"])
      expect(statSync(join(host.directory, name)).mode & 0o777).toBe(0o600);
    expect(await host.sidecar(["--health"])).toMatchObject({
      exitCode: 0,
      stdout: "The token has 59 min left.\n",
    });
    sidecar.send("SIGTERM");
    expect(await sidecar.exitCode()).toBe(0);
    const log = parseLog(sidecar.output());
    expect(log.map(({ event, level }) => `${level} ${event}`)).toEqual([
      "info token.refreshed",
      "info sidecar.stopped",
    ]);
    expect(log[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: "info",
      event: "token.refreshed",
      sha256: expect.stringMatching(/^[0-9a-f]{8}$/),
      expires_at: expect.stringMatching(/Z$/),
      ms: expect.any(Number),
      next_seconds: expect.any(Number),
    });
    expectNoSecret(sidecar.output(), host.github.liveTokens);
  });

  test("SIGTERM while GitHub does not answer ends it with 0 without waiting for it, and leaves what was there", async () => {
    await using host = await createSidecarHost();
    await host.sidecar(["--once"]);
    const [token, asked] = [host.token(), host.github.requests.length];
    const release = host.github.hold();
    await using sidecar = host.startSidecar();
    await expect.poll(() => host.github.requests.length).toBeGreaterThan(asked);

    sidecar.send("SIGTERM");

    expect(await sidecar.exitCode()).toBe(0);
    expect(parseLog(sidecar.output()).map(({ event }) => event)).toEqual(["sidecar.stopped"]);
    expect(host.token()).toBe(token);
    expect(readdirSync(host.directory).sort()).toEqual(["token", "token.json"]);
    release();
  });

  test("with GitHub down at the start it waits for GitHub, and then is there", async () => {
    await using host = await createSidecarHost();
    host.github.refuse("server_error", { times: 2 });
    await using sidecar = host.startSidecar();

    await sidecar.saw('"token.refreshed"');

    const log = parseLog(sidecar.output());
    expect(log.map(({ event, code }) => code ?? event)).toEqual([
      "github_unavailable",
      "github_unavailable",
      "token.refreshed",
    ]);
    expect(host.token()).toBe(host.github.liveTokens[0]);
  });

  test("a killed predecessor's half-written token goes once it is old", async () => {
    await using host = await createSidecarHost();
    const scratch = join(host.directory, ".token.4194999.0a0b0c0d.tmp");
    writeFileSync(scratch, "ghs_half", { mode: 0o600 });
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(scratch, hourAgo, hourAgo); // a younger one may be that of somebody at work
    host.github.suspend(987_654);

    expect(await host.sidecar()).toMatchObject({ exitCode: 78 });

    expect(readdirSync(host.directory)).toEqual([]);
  });

  test.for([
    {
      what: "a token file on a disk",
      args: ["--token-file", "/proc/token"],
      says: /^\/proc is not in memory/,
    },
    {
      what: "repositories of several owners",
      env: { WORKSPACE_REPOS: "https://github.com/acme/site https://github.com/umbrella/lab" },
      says: /^WORKSPACE_REPOS names repositories of several owners \(acme, umbrella\)/,
    },
    {
      what: "no secret",
      args: ["--secrets-dir", "/nowhere"],
      says: /^There is no App ID: mount the App's secret \(app-id, installation-id, private-key\) at \/nowhere\./,
    },
    {
      what: "a garbled installation ID",
      secret: { "installation-id": "acme" },
      says: /^\S+\/secrets\/installation-id must be a number/,
    },
    {
      what: "a key that is none",
      secret: { "private-key": "not a key" },
      says: /^The private key \(\S+\/secrets\/private-key\) is not a private key in PEM form/,
    },
    {
      what: "a repository that the installation lacks",
      env: { WORKSPACE_REPOS: "https://github.com/acme/lost" },
      says: /does not reach acme\/lost: correct the name in WORKSPACE_REPOS/,
    },
    {
      what: "a lost repository that is named like a setting",
      env: { WORKSPACE_REPOS: "https://github.com/acme/GITHUB_APP_ID" },
      says: /does not reach acme\/GITHUB_APP_ID: correct the name in WORKSPACE_REPOS/,
    },
    {
      what: "an App ID of a file that is no App's",
      secret: { "app-id": "4711" },
      says: /has no App 4711: correct \S+\/secrets\/app-id, or GITHUB_API_URL/,
    },
    {
      what: "an App ID of a variable that is no App's",
      env: { GITHUB_APP_ID: "4711" },
      says: /has no App 4711: correct GITHUB_APP_ID, or GITHUB_API_URL/,
    },
  ])("$what fails the start with 78 and a sentence", async ({ args = [], env = {}, secret = {}, says }) => {
    await using host = await createSidecarHost();
    host.mountSecret(secret);

    const { exitCode, stdout } = await host.sidecar(args, env);

    const last = parseLog(stdout).at(-1);
    expect({ exitCode, level: last?.level }).toEqual({ exitCode: 78, level: "error" });
    expect(last?.["sentence"]).toMatch(says);
    expect(readdirSync(host.directory)).toEqual([]);
  });

  test.for([
    {
      env: { REFRESH_INTERVAL_MINUTES: "0.5" },
      exitCode: 78,
      says: 'REFRESH_INTERVAL_MINUTES is "0.5": set it to a number of minutes',
    },
    {
      env: { REFRESH_INTERVAL_MINUTES: "often" },
      exitCode: 78,
      says: 'REFRESH_INTERVAL_MINUTES is "often": set it to a number of minutes',
    },
    { env: { LOG_LEVEL: "loud" }, exitCode: 78, says: 'LOG_LEVEL is "loud": set it to one of debug' },
    {
      args: ["--token-mode", "0644"],
      exitCode: 64,
      says: "--token-mode must be one of 0400, 0440, 0600, 0640",
    },
    { args: ["--once", "--health"], exitCode: 64, says: "--once and --health exclude each other." },
    { args: ["--twice"], exitCode: 64, says: "--twice" },
  ])(
    "wrong usage is told before anything is done: $says",
    async ({ args = [], env = {}, exitCode, says }) => {
      await using host = await createSidecarHost();

      const result = await host.sidecar(args, env);

      expect(result).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(says) });
      expect(host.github.requests).toEqual([]);
    },
  );

  test("--help says what it takes", async () => {
    await using host = await createSidecarHost();
    expect(await host.sidecar(["--help"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Usage: ghauth sidecar /),
    });
  });
});

describe.concurrent("--once", () => {
  test("ends when the token is there; --token-mode lets a group read it", async () => {
    await using host = await createSidecarHost();

    const { exitCode, stdout } = await host.sidecar(["--once", "--token-mode", "0440"]);

    expect(exitCode).toBe(0);
    expect(parseLog(stdout).map(({ event }) => event)).toEqual(["token.refreshed"]);
    expect(host.github.liveTokens).toEqual([host.token()]);
    expect(statSync(host.tokenFile).mode & 0o777).toBe(0o440);
  });

  test("tries again what is transient until its deadline, then ends with 75 and leaves nothing", async () => {
    await using host = await createSidecarHost();
    host.github.refuse("server_error", { times: Infinity });

    const { exitCode, stdout } = await host.sidecar(["--once"], { GHAUTH_REFRESH_DEADLINE_SECONDS: "6" });

    expect(exitCode).toBe(75);
    expect(parseLog(stdout).length).toBeGreaterThan(2);
    expect(readdirSync(host.directory)).toEqual([]);
  });

  test("stopped without a token it ends with 75, so that nobody takes its work for done", async () => {
    await using host = await createSidecarHost();
    const release = host.github.hold();
    await using sidecar = host.startSidecar(["--once"]);
    await expect.poll(() => host.github.requests.length).toBe(1);

    sidecar.send("SIGTERM");

    expect(await sidecar.exitCode()).toBe(75);
    release();
  });
});

describe.concurrent("settings", () => {
  test("an interval above 50 minutes, as charts give it, is taken as 45, with a warning", async () => {
    await using host = await createSidecarHost();
    await using sidecar = host.startSidecar([], { REFRESH_INTERVAL_MINUTES: "999999" });

    await sidecar.saw('"token.refreshed"');
    await sidecar.saw("}\n");

    const [warning, refreshed] = parseLog(sidecar.output());
    expect(warning).toMatchObject({
      level: "warn",
      event: "interval.shortened",
      sentence: expect.stringContaining("it is refreshed every 45 minutes. Set it to 50 at most."),
    });
    expect(refreshed?.["next_seconds"]).toBeGreaterThan(40 * 60);
    expect(refreshed?.["next_seconds"]).toBeLessThanOrEqual(45 * 60);
  });

  test("WORKSPACE_REPOS scopes the token to the repositories' names, in every form of a URL", async () => {
    await using host = await createSidecarHost();

    await host.sidecar(["--once"], {
      WORKSPACE_REPOS: "https://github.com/acme/site.git git@github.com:acme/tools",
    });

    expect(scopeAsked(host)).toEqual({ repositories: ["site", "tools"] });
  });

  test("without WORKSPACE_REPOS a warning says that the token reaches everything", async () => {
    await using host = await createSidecarHost();

    const { stdout } = await host.sidecar(["--once"], { WORKSPACE_REPOS: "" });

    expect(parseLog(stdout)[0]).toMatchObject({
      level: "warn",
      event: "scope.wide",
      sentence: expect.stringContaining("reaches all repositories of the installation: set WORKSPACE_REPOS"),
    });
    expect(scopeAsked(host)).toEqual({});
  });

  test("the environment wins over the secrets directory; without an installation ID it is looked up", async () => {
    await using host = await createSidecarHost();
    host.mountSecret({ "app-id": "1", "installation-id": "" });
    const env = { GITHUB_APP_ID: "123456", GITHUB_APP_PERMISSIONS: "contents:read" };

    expect(await host.sidecar(["--once"], env)).toMatchObject({ exitCode: 0 });

    expect(scopeAsked(host)).toEqual({ repositories: ["site"], permissions: { contents: "read" } });
  });

  test("a command may be the source, and then WORKSPACE_REPOS is said not to scope its token", async () => {
    await using host = await createSidecarHost();
    await host.sidecar(["--once"]);
    const token = host.token() ?? "";
    host.write(join(host.root, "print"), `#!/bin/sh\nprintf '%s' '${token}'\n`, 0o755);

    const { exitCode, stdout } = await host.sidecar(["--once"], {
      GITHUB_TOKEN_SOURCE: "command",
      GITHUB_TOKEN_COMMAND: `'${join(host.root, "print")}'`,
      GITHUB_APP_SECRETS_DIR: "/nowhere",
    });

    expect(exitCode).toBe(0);
    expect(parseLog(stdout).map(({ event }) => event)).toEqual(["scope.wide", "token.refreshed"]);
    expect(host.token()).toBe(token);
    expect(host.github.mints).toBe(1);
    expect(await host.sidecar(["--health"])).toMatchObject({ exitCode: 0 });
  });

  test("LOG_LEVEL leaves out what is below it", async () => {
    await using host = await createSidecarHost();
    expect(await host.sidecar(["--once"], { LOG_LEVEL: "error" })).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("on a host whose clock is hours off it mints all the same, judges the expiry rightly, and warns", async () => {
    await using host = await createSidecarHost();
    host.github.setClockOffset(7 * 3_600_000);

    const { exitCode, stdout } = await host.sidecar(["--once"]);

    expect(exitCode).toBe(0);
    expect(parseLog(stdout).map(({ event }) => event)).toEqual(["token.refreshed", "clock.wrong"]);
    expect(await host.sidecar(["--health"])).toMatchObject({ stdout: "The token has 59 min left.\n" });
  });

  test("--allow-disk takes any directory", async () => {
    await using host = await createSidecarHost();
    const tokenFile = join(host.root, "new/token");

    const { exitCode } = await host.sidecar(["--once", "--allow-disk", "--token-file", tokenFile]);

    expect(exitCode).toBe(0);
    expect(host.read(tokenFile)).toBe(host.github.liveTokens[0]);
  });
});
