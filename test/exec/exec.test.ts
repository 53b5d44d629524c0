import { join } from "node:path";
import { expect, test } from "vitest";
import {
  createGitHost,
  exampleToken,
  fakeRefreshScript,
  fakeRuns,
  type GitHost,
  sha256,
} from "../support/git-host.js";

const show = (...names: string[]) =>
  names.map((name) => `printf %s "\${${name}-unset}" | sha256sum | cut -c1-64`).join("; ");
const shown = (...values: string[]) => values.map((value) => `${sha256(value)}\n`).join("");

const exec = async (host: GitHost, command: string[], env: Record<string, string> = {}) =>
  host.ghauth(["exec", "--", ...command], { env });

test("the command has the fresh token in GH_TOKEN and GITHUB_TOKEN", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const names = ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
  const env = { GITHUB_API_URL: "https://api.github.com", GH_TOKEN: "an older one" };

  const result = await exec(host, ["sh", "-c", show(...names)], env);

  expect(result).toEqual({
    exitCode: 0,
    signal: null,
    stdout: shown(exampleToken, exampleToken, "unset", "unset"),
    stderr: "",
  });
  expect(host.github.mints).toBe(0);
});

test("for an Enterprise host the token is also in the variables that gh reads for it", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const command = ["sh", "-c", show("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")];

  const { stdout } = await exec(host, command, { GITHUB_API_URL: "https://ghe.example/api/v3" });

  expect(stdout).toBe(shown(exampleToken, exampleToken));
});

test("the token is in no argument, and not in our own environment", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const command = 'cat /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ | grep -c "$GH_TOKEN"';

  expect(await exec(host, ["sh", "-c", command])).toMatchObject({ stdout: "0\n", exitCode: 1 });
});

test("a token with less than 5 minutes is refreshed first, and the refresh script's words stay away", async () => {
  await using host = await createGitHost();
  for (const seconds of [298, -1]) {
    host.hold(exampleToken, seconds);
    const { exitCode, stdout, stderr } = await exec(host, ["sh", "-c", show("GH_TOKEN")]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(shown(host.github.liveTokens.at(-1) ?? ""));
  }
  expect(host.log()).toMatchObject([{ trigger: "exec" }, { trigger: "exec" }]);
});

test("the refresh script is told what was seen, and is run for a token of unknown expiry", async () => {
  await using host = await createGitHost();
  const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };

  host.hold(exampleToken, 330);
  await exec(host, ["true"], env);
  expect(fakeRuns(host)).toEqual([]);
  const epoch = host.hold(exampleToken, 100);
  await exec(host, ["true"], env);
  expect(fakeRuns(host)).toEqual([`exec ${epoch}`]);
  host.hold(exampleToken);
  expect((await exec(host, ["true"], env)).exitCode).toBe(0);
  expect(fakeRuns(host)).toHaveLength(2);
  const at = new Date(Date.now() + 2_400_000).toISOString();
  host.write(host.paths.tokenEnvFile, `GITHUB_TOKEN=${exampleToken}\nGITHUB_TOKEN_EXPIRES_AT=${at}\n`);
  expect((await exec(host, ["true"], env)).exitCode).toBe(0);
  expect(fakeRuns(host)).toHaveLength(3);
});

test("where a refresh fails, a token with 30 s that GitHub did not refuse will do", async () => {
  await using host = await createGitHost();
  for (const code of [75, 78]) {
    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, code, "GitHub is down.") };
    host.hold(exampleToken, 60);
    expect(await exec(host, ["echo", "ran"], env)).toMatchObject({
      exitCode: 0,
      stdout: "ran\n",
      stderr: "",
    });

    host.hold(exampleToken, 28);
    expect(await exec(host, ["echo", "ran"], env)).toMatchObject({
      exitCode: code,
      stdout: "",
      stderr: "ghauth exec: there is no valid GitHub token: GitHub is down.\n",
    });
  }
});

test("a token that git's helper saw refused is refreshed first, and not used where that fails", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  await host.helper(["erase"], { input: `protocol=https\nhost=github.com\npassword=${exampleToken}\n` });

  const failing = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, "GitHub is down.") };
  expect(await exec(host, ["echo", "ran"], failing)).toMatchObject({ exitCode: 75, stdout: "" });

  const { stdout } = await exec(host, ["sh", "-c", show("GH_TOKEN")]);
  expect(stdout).toBe(shown(host.github.liveTokens[0] ?? ""));
});

test("a refresh script that is missing or no program is named, and the command is not run", async () => {
  await using host = await createGitHost();
  const plain = join(host.home, "plain");
  host.write(plain, "no program");
  for (const script of [join(host.home, "nowhere"), plain]) {
    const result = await exec(host, ["echo", "ran"], { GHAUTH_REFRESH_SCRIPT: script });
    expect(result).toMatchObject({ exitCode: 78, stdout: "" });
    expect(result.stderr).toContain(`the refresh script ${script} `);
    expect(result.stderr).toMatch(/Install it, or set GHAUTH_REFRESH_SCRIPT\.\n$/);
  }
});

test("the command's exit code is ours, and a signal's is 128 + n", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const codeOf = async (script: string) => (await exec(host, ["sh", "-c", script])).exitCode;

  expect(await codeOf("exit 0")).toBe(0);
  expect(await codeOf("exit 75")).toBe(75);
  expect(await codeOf("exit 255")).toBe(255);
  expect(await codeOf("kill -TERM $$")).toBe(143);
  expect(await codeOf("kill -KILL $$")).toBe(137);
});

test("a command that is not there is 127, one that is no program 126, and both are said", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const plain = join(host.home, "plain");
  host.write(plain, "no program");
  const cases = [
    ["nosuch-command", 127, /cannot run "nosuch-command": it, or the interpreter .* was not found\.\n$/],
    [`${plain}/nosuch`, 127, /a part of its path is not a directory\.\n$/],
    ["", 127, /cannot run "": /],
    [plain, 126, /it is a directory, or not executable for this user\.\n$/],
    [host.home, 126, /it is a directory, or not executable for this user\.\n$/],
  ] as const;
  for (const [command, exitCode, sentence] of cases) {
    const result = await exec(host, [command]);
    expect(result).toMatchObject({ exitCode, stdout: "", stderr: expect.stringMatching(sentence) });
  }
});

test("without a command, or with an unknown option, exec says how it is used: 64", async () => {
  await using host = await createGitHost();
  for (const args of [[], ["--"], ["--what", "true"]]) {
    const result = await host.ghauth(["exec", ...args]);
    expect(result).toMatchObject({ exitCode: 64, stdout: "" });
    expect(result.stderr).toContain("ghauth exec [options] -- <COMMAND>");
  }
  expect((await host.ghauth(["exec", "--help"])).stdout).toMatch(
    /^Usage: ghauth exec \[options\] -- <COMMAND>/,
  );
  expect(host.github.mints).toBe(0);
});

test("the words after -- are the command's own", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);

  const { stdout } = await exec(host, ["printf", "%s|", "--help", "--", "a b", "$HOME", "*"]);

  expect(stdout).toBe("--help|--|a b|$HOME|*|");
});

test("without --, the options after the command are the command's own too", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);

  const { stdout } = await host.ghauth(["exec", "printf", "%s|", "--help", "-V", "--", "--jsn"]);

  expect(stdout).toBe("--help|-V|--|--jsn|");
});

test("standard streams pass through, whatever they carry", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const input = "0123456789abcde\n".repeat(65_536);

  const out = await host.ghauth(["exec", "--", "cat"], { input });
  const error = await host.ghauth(["exec", "--", "sh", "-c", "cat >&2"], { input });

  expect([out.stdout === input, out.stderr, out.exitCode]).toEqual([true, "", 0]);
  expect([error.stderr === input, error.stdout, error.exitCode]).toEqual([true, "", 0]);
});

test("printing tokens is the credential helper's business: ghauth token is no verb", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);

  expect(await host.ghauth(["token"])).toMatchObject({ exitCode: 64, stdout: "" });
});
