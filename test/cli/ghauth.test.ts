import { mkdirSync, rmSync } from "node:fs";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { subcommands } from "../../src/ghauth/subcommands/subcommands.js";
import { createMachine, executables, expectNoSecret, type Machine } from "../support/machine.js";

/** Puts a script where the operator's refresh script would be. */
const installScript = (machine: Machine, text: string, mode = 0o755) =>
  machine.write(machine.paths.refreshScript, text, mode);

const installRealScript = (machine: Machine) =>
  installScript(machine, `#!/bin/sh\nexec '${executables.refresh}' "$@"\n`);

const configure = (machine: Machine, text: string) => machine.write(machine.paths.takopiConfig, text);

const freshFile = (seconds = 3000) => {
  const epoch = Math.floor(Date.now() / 1000) + seconds;
  const token = `ghs_${"0123456789".repeat(4)}`;
  return `GITHUB_TOKEN=${token}\nGH_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=${epoch}\n`;
};

describe.concurrent("ghauth in a terminal", () => {
  test("status tells of a missing token, refresh mints one, status then shows it fresh", async () => {
    await using machine = await createMachine();
    installRealScript(machine);

    const before = await machine.ghauth(["status"]);
    const refresh = await machine.ghauth(["refresh"]);
    const after = await machine.ghauth(["status"]);

    expect([before.exitCode, before.stdout.split("\n")[0]]).toEqual([1, "GitHub token: missing"]);
    expect(refresh.exitCode).toBe(0);
    expect(refresh.stdout).toMatch(/^Refreshing the GitHub token…\n\nRefresh succeeded\.\ntook: /);
    expect(refresh.stdout).toMatch(/^Refreshed: token ghs_1234…/m);
    expect(after.exitCode).toBe(0);
    expect(after.stdout).toMatch(
      /^GitHub token: fresh\nprefix: ghs_1234…\nsha256: [0-9a-f]{8}\nage: \d+ seconds? /,
    );
    expect(after.stdout).toMatch(/^time left: 59 minutes /m);
    expect(machine.log()).toMatchObject([{ trigger: "terminal", ok: true }]);
  });

  test("status --json is one object for machines", async () => {
    await using machine = await createMachine();
    await machine.refresh();

    const { stdout, exitCode } = await machine.ghauth(["status", "--json"]);

    expect(exitCode).toBe(0);
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      "state",
      "token",
      "refreshed_at",
      "age_seconds",
      "expires_at",
      "expires_in_seconds",
      "timer",
      "last_refresh",
      "gh",
      "problems",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      state: "fresh",
      token: { prefix: "ghs_1234", sha256: expect.stringMatching(/^[0-9a-f]{8}$/) },
      last_refresh: { ok: true, exit: 0 },
      problems: [],
    });
  });

  test("help and flow exit with 0, and flow names the real paths", async () => {
    await using machine = await createMachine();
    configure(machine, '[plugins.ghauth]\ntoken_env_file = "~/elsewhere/token.env"\n');
    const help = await machine.ghauth(["help"]);
    const flow = await machine.ghauth(["flow"]);
    expect([help.exitCode, flow.exitCode]).toEqual([0, 0]);
    for (const { name } of subcommands) expect(help.stdout).toContain(`/ghauth ${name}`);
    expect(flow.stdout).toContain("~/elsewhere/token.env");
  });

  test.each([
    ["", "1. private key: ~/.config/takopi/github-app.pem, which only the refresh script reads"],
    ["GITHUB_APP_PRIVATE_KEY_PATH=~/keys/app.pem", "1. private key: ~/keys/app.pem, which"],
    [
      "GITHUB_TOKEN_SOURCE=command\nGITHUB_TOKEN_COMMAND=vault read -field=token secret/s3cret",
      "1. token command: vault (GITHUB_TOKEN_COMMAND), which prints a token: this host has no private key",
    ],
  ])("flow tells the way of this host: %j", async (settings, says) => {
    await using machine = await createMachine();
    machine.write(machine.paths.appEnvFile, `${machine.read(machine.paths.appEnvFile)}${settings}\n`);
    const { stdout } = await machine.ghauth(["flow"]);
    expect(stdout).toContain(says);
    expect(stdout).not.toContain("s3cret");
  });

  test("flow leaves gh out where the refresh script is told to leave it alone", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.appEnvFile, `${machine.read(machine.paths.appEnvFile)}GH_AUTH=auto\n`);
    expect((await machine.ghauth(["flow"])).stdout).toContain("gets it too");
    machine.write(machine.paths.appEnvFile, `${machine.read(machine.paths.appEnvFile)}GH_AUTH=off\n`);
    const { stdout } = await machine.ghauth(["flow"]);
    expect(stdout).toContain("take it from there, through the credential helper\n");
    expect(stdout).not.toContain("gh/hosts.yml");
  });

  test("flow says who knows the way where the settings cannot be read", async () => {
    await using machine = await createMachine();
    rmSync(machine.paths.appEnvFile);
    mkdirSync(machine.paths.appEnvFile);
    const { stdout } = await machine.ghauth(["flow"]);
    expect(stdout).toMatch(
      /^1\. token source: the App's private key, a broker or a command, as ~\/\.config\/takopi\/github-app\.env says, which only the refresh script reads$/m,
    );
  });

  test.each([
    [[], "ghauth: a verb is missing"],
    [["token"], "ghauth: unknown command 'token'"],
    [["toString"], "ghauth: unknown command 'toString'"],
    [["statsu"], "ghauth: unknown command 'statsu': did you mean status?"],
    [["--versoin"], "ghauth: unknown option '--versoin': did you mean --version?"],
    [["status", "--loud"], "ghauth status: unknown option '--loud'"],
    [["status", "--jsn"], "ghauth status: unknown option '--jsn': did you mean --json?"],
    [["status", "--config"], "ghauth status: option '--config <FILE>' argument missing"],
    [["refresh", "--json"], "ghauth refresh: unknown option '--json'"],
    [["status", "extra"], "ghauth status: too many arguments for 'status'. Expected 0 arguments but got 1."],
    [["exec"], "ghauth exec: missing required argument 'COMMAND'"],
    [["exec", "--"], "ghauth exec: missing required argument 'COMMAND'"],
    [["broker", "clinet"], "ghauth broker: unknown command 'clinet': did you mean client?"],
    [["broker", "client"], "ghauth broker client: a verb is missing"],
    [["broker", "client", "add"], "ghauth broker client add: missing required argument 'NAME'"],
    [["help", "stauts"], "ghauth help: unknown command 'stauts': did you mean status?"],
    [["help", "status", "extra"], "ghauth help: too many arguments for 'status'."],
    [["sidecar", "--once", "--health"], "ghauth sidecar: --once and --health exclude each other."],
  ])("ghauth %j is wrong usage: 64, with the usage on stderr", async (args, complaint) => {
    await using machine = await createMachine();
    const { exitCode, stdout, stderr } = await machine.ghauth(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^Usage: ghauth /);
    expect(lines.at(-1)).toContain(complaint);
  });
});

describe.concurrent("a token env file that is not as it should be", () => {
  test.each([
    [
      "empty",
      "",
      0o600,
      "missing",
      /There is no token in ~\/\.config\/takopi\/github-token\.env: run \/ghauth refresh/,
    ],
    ["readable by others", freshFile(), 0o644, "insecure", /\(mode 0644\): run chmod 600 ~\/\.config/],
    ["expired", freshFile(-5), 0o600, "expired", /The token has expired: run \/ghauth refresh/],
    [
      "soon to expire",
      freshFile(120),
      0o600,
      "stale",
      /The token is stale, and the timer did not renew it: run \/ghauth refresh/,
    ],
  ])("%s: status says so and what to do, and exits with 1", async (_what, text, mode, state, problem) => {
    await using machine = await createMachine();
    machine.write(machine.paths.tokenEnvFile, text, mode);
    const { exitCode, stdout } = await machine.ghauth(["status"]);
    expect([exitCode, stdout.split("\n")[0]]).toEqual([1, `GitHub token: ${state}`]);
    expect(stdout).toMatch(problem);
  });

  test("a token that GitHub refused: stale", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.tokenEnvFile, freshFile());
    const hash = createHash("sha256").update(machine.heldToken()).digest("hex");
    machine.write(join(machine.paths.refreshLog, "../refused", hash), "");
    const { exitCode, stdout } = await machine.ghauth(["status"]);
    expect([exitCode, stdout.split("\n")[0]]).toEqual([1, "GitHub token: stale"]);
    expect(stdout).toContain("GitHub refuses the token, or was told to revoke it: run /ghauth refresh");
  });

  test("an odd line in the refresh log is passed over", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const odd = ['{"at":"x","ok":true,"sentence":"s","trigger":"t"}', "null", "[]", "{"].join("\n");
    machine.write(machine.paths.refreshLog, `${machine.read(machine.paths.refreshLog)}${odd}\n`);
    const { exitCode, stdout } = await machine.ghauth(["status"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^last refresh: manual, succeeded, /m);
  });

  test("pieces of the token in the refresh log are not shown, in text or JSON", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const held = machine.heldToken();
    const good = machine.read(machine.paths.refreshLog);
    const bad = good.replace('"code":"refreshed"', '"code":"odd"').replace("Refreshed:", held.slice(30, 50));
    machine.write(machine.paths.refreshLog, bad);
    for (const args of [["status"], ["status", "--json"]]) {
      const { stdout } = await machine.ghauth(args);
      expect(stdout).toContain("[redacted]");
    }
    machine.write(machine.paths.refreshLog, good);
  });

  test("a refresh log that cannot be read is a problem, and the rest is shown", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.tokenEnvFile, freshFile());
    machine.write(`${machine.paths.refreshLog}/file`, "");
    const { exitCode, stdout } = await machine.ghauth(["status"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^GitHub token: fresh\nprefix: /);
    expect(stdout).toMatch(/The refresh log .* cannot be read: it is not a regular file/);
  });

  test("a directory in its place: unreadable", async () => {
    await using machine = await createMachine();
    machine.write(`${machine.paths.tokenEnvFile}/file`, "");
    const { exitCode, stdout } = await machine.ghauth(["status", "--json"]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ state: "unreadable", token: null });
  });
});

describe.concurrent("a bad configuration is told with file and place, and exits with 78", () => {
  test.each([
    ["broken TOML", 'transport = "console"\n[plugins.ghauth\n', /takopi\.toml, line 2, column \d+: /],
    [
      "a wrong type",
      '[plugins.ghauth]\nmax_token_age_minutes = "55"\n',
      /takopi\.toml: plugins\.ghauth\.max_token_age_minutes must be a number of minutes\./,
    ],
    [
      "a number out of range",
      "[plugins.ghauth]\nrefresh_timeout_seconds = 0\n",
      /plugins\.ghauth\.refresh_timeout_seconds must be a number of seconds above 0\./,
    ],
    [
      "a list of wrong things",
      "[plugins.ghauth]\nrun_refresh_with = [1]\n",
      /plugins\.ghauth\.run_refresh_with\.0 must be a word in quotes\./,
    ],
    [
      "a timeout that no script is given",
      "[plugins.ghauth]\nrefresh_timeout_seconds = 4000\n",
      /plugins\.ghauth\.refresh_timeout_seconds must be a number of seconds, at most 3600\./,
    ],
    [
      "an unknown key",
      '[plugins.ghauth]\ntoken_file = "x"\n',
      /plugins\.ghauth\.token_file is not known; the keys are token_env_file, /,
    ],
    ["a table that is none", "plugins = 1\n", /takopi\.toml: plugins must be a table\./],
  ])("%s", async (_what, text, complaint) => {
    await using machine = await createMachine();
    configure(machine, text);
    for (const args of [["status"], ["status", "--json"], ["refresh"]]) {
      const { exitCode, stdout, stderr } = await machine.ghauth(args);
      expect(stderr).toMatch(complaint);
      expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
    }
  });

  test("help helps all the same", async () => {
    await using machine = await createMachine();
    configure(machine, "[plugins.ghauth\n");
    expect(await machine.ghauth(["help"])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("a file that --config names and that is not there", async () => {
    await using machine = await createMachine();
    const { exitCode, stderr } = await machine.ghauth(["status", "--config", "~/none.toml"]);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/There is no configuration at .*none\.toml: copy takopi\.example\.toml there/);
    const [, directory = ""] = /it is in (.*)\), or give/.exec(stderr) ?? [];
    expect(existsSync(join(directory, "takopi.example.toml"))).toBe(true);
  });

  test("what stands around a mistake is not shown, for it may be a bot token", async () => {
    await using machine = await createMachine();
    configure(
      machine,
      '[transports.telegram]\nbot_token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" x\n',
    );
    const { stdout, stderr } = await machine.ghauth(["status"]);
    expect(stdout + stderr).toMatch(/line 2, column/);
    expect(stdout + stderr).not.toContain("AAHdq");
  });
});

describe.concurrent("a refresh script that is not as it should be", () => {
  const limitTo = (machine: Machine, seconds: number) =>
    configure(machine, `[plugins.ghauth]\nrefresh_timeout_seconds = ${seconds}\n`);

  test.each([
    [
      "missing",
      null,
      0o755,
      78,
      /The refresh script .*takopi-refresh-github-token was not found: run bootstrap_user_refresh\.sh/,
    ],
    ["not executable", "#!/bin/sh\n", 0o644, 78, /cannot be executed: run chmod \+x /],
    ["without an interpreter", "#!/no/such/interpreter\n", 0o755, 78, /interpreter .* was not found/],
    [
      "failing for now",
      "#!/bin/sh\necho GitHub is away; exit 75\n",
      0o755,
      75,
      /ended with 75, a transient failure[\s\S]*GitHub is away/,
    ],
    [
      "failing for good",
      "#!/bin/sh\necho wrong key >&2; exit 78\n",
      0o755,
      78,
      /ended with 78, and a person must change something[\s\S]*wrong key/,
    ],
    ["failing in its own way", "#!/bin/sh\nexit 3\n", 0o755, 3, /ended with 3, what it printed tells more/],
    ["ended by a signal", "#!/bin/sh\nkill -9 $$\n", 0o755, 75, /was ended by a signal/],
    ["printing binary", "#!/bin/sh\nprintf 'a\\000\\001\\033[31mb\\377'\n", 0o755, 0, /output:\na·b·/],
  ])("%s", async (_what, text, mode, code, said) => {
    await using machine = await createMachine();
    if (text !== null) installScript(machine, text, mode);
    const { exitCode, stdout } = await machine.ghauth(["refresh"]);
    expect(stdout).toMatch(said);
    expect(exitCode).toBe(code);
  });

  test("hanging", async () => {
    await using machine = await createMachine();
    installScript(machine, "#!/bin/sh\ntrap '' TERM\necho before\nsleep 60 & wait; sleep 60\n");
    limitTo(machine, 3);
    const { exitCode, stdout } = await machine.ghauth(["refresh"]);
    expect(stdout).toMatch(/took over 3 s and was ended[\s\S]*before/);
    expect(exitCode).toBe(75);
  });

  test("printing 100 MB: the tail is 20 lines and 1,500 characters at most", async () => {
    await using machine = await createMachine();
    installScript(
      machine,
      "#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\000' 'x' | fold -w 99\necho the end\n",
    );
    const { exitCode, stdout } = await machine.ghauth(["refresh"]);
    const [, tail = ""] = stdout.split("output:\n");
    expect(exitCode).toBe(0);
    expect(tail).toMatch(/the end\n/);
    expect(tail.trim().split("\n").length).toBeLessThanOrEqual(20);
    expect(tail.trim().length).toBeLessThanOrEqual(1_500);
  });

  test("all that it started is gone after the timeout", async () => {
    await using machine = await createMachine();
    const pidFile = `${machine.root}/pid`;
    installScript(machine, `#!/bin/sh\nsleep 60 &\necho $! > '${pidFile}'\nwait\n`);
    limitTo(machine, 3);
    await machine.ghauth(["refresh"]);
    const { stdout } = await machine.run(["ps", "-o", "stat=", "-p", machine.read(pidFile).trim()]);
    expect(stdout.trim()).toMatch(/^(Z.*)?$/); // gone, or dead and not yet reaped
  });

  test("what it prints of secrets is redacted, the new token's pieces too", async () => {
    await using machine = await createMachine();
    installScript(
      machine,
      `#!/bin/sh\n'${executables.refresh}' --force\n. "$TOKEN_ENV_FILE"\necho "$GITHUB_TOKEN"\necho "$GITHUB_TOKEN" | fold -w 30\ncat '${machine.paths.privateKey}'\n`,
    );
    const { stdout } = await machine.ghauth(["refresh"]);
    expect(stdout).toContain("Refresh succeeded.");
    expect(stdout).toContain("[redacted]");
    expectNoSecret(stdout, [machine.heldToken()]);
  });

  test("chat tokens, and what was told to another run, are kept from it", async () => {
    await using machine = await createMachine();
    installScript(machine, "#!/bin/sh\nenv\n");
    const { stdout } = await machine.ghauth(["refresh"], {
      env: { BOT: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", GHAUTH_SEEN_EPOCH: "5", KEPT: "yes" },
    });
    expect(stdout).toContain("KEPT=yes");
    expect(stdout).not.toMatch(/^(BOT|GHAUTH_SEEN_EPOCH)=/m);
  });

  test("what makes redaction slow does not hold it up", async () => {
    await using machine = await createMachine();
    installScript(machine, `#!/bin/sh\nhead -c 63000 /dev/zero | sed 's/\\x00/eyJ/g'\n`);
    const { exitCode } = await machine.ghauth(["refresh"]);
    expect(exitCode).toBe(0);
  });

  test("found on PATH, where npm puts it, it need not be configured", async () => {
    await using machine = await createMachine();
    machine.write(`${machine.root}/bin/takopi-refresh-github-token`, "#!/bin/sh\necho from npm\n", 0o755);
    const { stdout } = await machine.ghauth(["refresh"], {
      env: { PATH: `${machine.root}/bin:${machine.env["PATH"] ?? ""}` },
    });
    expect(stdout).toContain("from npm");
  });

  test("run_refresh_with stands in front, and the script gets its settings", async () => {
    await using machine = await createMachine();
    installScript(
      machine,
      '#!/bin/sh\necho "<$TOKEN_ENV_FILE $GHAUTH_TRIGGER $GHAUTH_REFRESH_DEADLINE_SECONDS $PREFIXED"\n',
    );
    configure(
      machine,
      '[plugins.ghauth]\nrun_refresh_with = ["env", "PREFIXED=yes"]\nrefresh_timeout_seconds = 20\n',
    );
    const { stdout } = await machine.ghauth(["refresh"]);
    expect(stdout).toContain(`<${machine.paths.tokenEnvFile} terminal 15 yes\n`);
  });
});

describe.concurrent("ghauth run on the console", () => {
  test("answers line by line and ends at the end of its input", async () => {
    await using machine = await createMachine();
    installRealScript(machine);
    configure(machine, 'transport = "console"\n');
    const input = "/ghauth status\n\n/ghauth refresh\n/ghauth status\n/nope\nhello\n";
    const { exitCode, stdout, stderr } = await machine.ghauth(["run"], { input });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^(\{"level":"info",.*\}\n)+$/);
    expect(stdout).toMatch(
      /^GitHub token: missing[\s\S]+Refresh succeeded\.[\s\S]+GitHub token: fresh[\s\S]+There is no \/nope here: \/ghauth\.\n\nCommands here: \/ghauth\.\n/,
    );
  });

  test.each([
    ["without a configuration", null, /There is no configuration at .*takopi\.toml/],
    ["without a transport", "[plugins]\n", /takopi\.toml: transport is not set/],
    [
      "with an unknown transport",
      'transport = "pigeon"\n',
      /transport "pigeon" is not known; the transports are telegram, discord, console\./,
    ],
    ["with a transport of a wrong type", "transport = 3\n", /transport must be a name or a list of names/],
  ])("%s: 78", async (_what, text, complaint) => {
    await using machine = await createMachine();
    if (text !== null) configure(machine, text);
    const { exitCode, stderr } = await machine.ghauth(["run"]);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(complaint);
  });
});
