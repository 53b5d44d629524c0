import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  answerOf,
  ask,
  createGitHost,
  exampleToken,
  fakeRefreshScript,
  fakeRuns,
  shells,
} from "../support/git-host.js";
import { needs } from "../support/needs.js";

const silence = { exitCode: 0, signal: null, stdout: "", stderr: "" };

describe.each(shells)("under $shell", ({ shell, words }) => {
  test.for(["hold", "publish"] as const)(
    "get answers git from what this host holds (%s)",
    async (way, context) => {
      needs(context, shell);
      await using host = await createGitHost();
      const epoch = host[way](exampleToken, 3000);

      expect(await host.helper(["get"], { words, input: `${ask()}\n` })).toEqual({
        ...silence,
        stdout: answerOf(exampleToken, epoch),
      });
      expect(host.github.mints).toBe(0);
    },
  );

  test("what git sends besides is harmless", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const answer = answerOf(exampleToken, host.publish(exampleToken, 3000));
    const inputs = {
      "no blank line": ask(),
      "no line end": "protocol=https\nhost=github.com",
      CRLF: "protocol=https\r\nhost=github.com\r\n\r\n",
      "upper case": ask("GitHub.COM"),
      "newer git": `capability[]=authtype\ncapability[]=state\n${ask()}wwwauth[]=Basic realm="GitHub"\nstate[]=x\nusername=alice\n\n`,
      "a line without =": `${ask()}nonsense\n\n`,
      "shell characters": `${ask()}path=$(id) \`id\` * ? "' \\\n\n`,
      "after the blank line": `${ask()}\nhost=elsewhere.example\n`,
      "NUL bytes": `${ask()}x=\0\0\ny=a\0b\n\n`,
      "1 MB": `${ask()}x=${"y".repeat(1_000_000)}\n\n`,
    };
    for (const [name, input] of Object.entries(inputs)) {
      const { stdout, exitCode } = await host.helper(["get"], { words, input });
      expect({ name, stdout, exitCode }).toEqual({ name, stdout: answer, exitCode: 0 });
    }
  });

  test("long input is met with silence, at once", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    const [long, longest] = ["A".repeat(20_000), "a".repeat(100_000)];
    const env = { GITHUB_APP_REPOSITORIES: "acme/site" };
    for (const input of [
      `protocol=${long}\nhost=github.com\n\n`,
      ask(long),
      `${ask("github.com", `path=acme/${long}`)}\n`,
      `protocol=${longest}\nhost=github.com\n\n`,
      ask(longest),
      `${ask("github.com", `path=acme/${longest}`)}\n`,
      `${ask("github.com", `path=${"%2e".repeat(30_000)}`)}\n`,
    ]) {
      const result = await host.helper(["get"], { words, env, input });
      expect(result).toMatchObject({ stdout: "", stderr: "", exitCode: 0 });
    }
  });

  test("another host, protocol or action is met with silence", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.publish(exampleToken, 3000);
    const inputs = [
      ask("gitlab.example"),
      ask("github.com.evil.example"),
      ask("github.com:8443"),
      ask("notgithub.com"),
      ask("*"),
      ask("github.com evil.example"),
      "protocol=http\nhost=github.com\n\n",
      "protocol=ssh\nhost=github.com\n\n",
      "protocol=https:\nhost=github.com\n\n",
      ask("../git/github.com"),
      ask("."),
      ask(".."),
      ask("github.com."),
      "host=github.com\n\n",
      "protocol=https\n\n",
      "",
    ];
    for (const input of inputs) expect(await host.helper(["get"], { words, input })).toEqual({ ...silence });
    for (const action of ["store", "capability", "fill"])
      expect(await host.helper([action], { words, input: ask() })).toEqual({ ...silence });
  });

  test("token prints the bare token, also under the name _fetch_token, and asks nothing", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);

    for (const action of ["token", "_fetch_token"])
      expect(await host.helper([action], { words })).toEqual({ ...silence, stdout: `${exampleToken}\n` });
  });

  test("the hosts are github.com, the API's, and those of GHAUTH_HOSTS", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const answer = answerOf(exampleToken, host.hold(exampleToken, 3000));
    const isAnswered = async (asked: string, env: Record<string, string>) =>
      (await host.helper(["get"], { words, input: ask(asked), env })).stdout === answer;

    expect(await isAnswered("ghe.example", { GITHUB_API_URL: "https://GHE.example/api/v3" })).toBe(true);
    expect(await isAnswered("ghe.example", { GITHUB_API_URL: "https://ghe.example:443/api/v3/" })).toBe(true);
    expect(await isAnswered("ghe.example:8443", { GITHUB_API_URL: "https://ghe.example:8443/api/v3" })).toBe(
      true,
    );
    expect(await isAnswered("acme.ghe.com", { GITHUB_API_URL: "https://api.acme.ghe.com" })).toBe(true);
    expect(await isAnswered("github.com", { GITHUB_API_URL: "https://api.github.com" })).toBe(true);
    expect(await isAnswered("api.github.com", { GITHUB_API_URL: "https://api.github.com" })).toBe(false);
    expect(await isAnswered("two.example:8443", { GHAUTH_HOSTS: "one.example, Two.example:8443" })).toBe(
      true,
    );
    expect(await isAnswered("two.example", { GHAUTH_HOSTS: "one.example,two.example:8443" })).toBe(false);

    host.write(
      host.paths.appEnvFile,
      `\uFEFFexport GHAUTH_HOSTS = "mirror.example git.example" # ours\r\nGITHUB_API_URL='https://ghe.example'\r\n#GHAUTH_HOSTS=x\r\n`,
    );
    expect(await isAnswered("git.example", {})).toBe(true);
    expect(await isAnswered("ghe.example", {})).toBe(true);
    expect(await isAnswered("ours", {})).toBe(false);
    expect(await isAnswered("git.example", { GHAUTH_HOSTS: "other.example" })).toBe(false);
    expect(await isAnswered("git.example", { GHAUTH_HOSTS: "" })).toBe(true);
  });

  test("with useHttpPath a repository outside the token's scope is not answered", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const answer = answerOf(exampleToken, host.hold(exampleToken, 3000));
    const isAnswered = async (path: string, repositories: string) => {
      const env = { GITHUB_APP_REPOSITORIES: repositories };
      const result = await host.helper(["get"], { words, env, input: ask("github.com", `path=${path}`) });
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      return result.stdout === answer;
    };
    const both = "acme/site, https://github.com/Acme/Tools.git";

    expect(await isAnswered("acme/site.git", both)).toBe(true);
    expect(await isAnswered("Acme/Site", both)).toBe(true);
    expect(await isAnswered("acme/tools.git/info/lfs", both)).toBe(true);
    expect(await isAnswered("acme/site.wiki.git", both)).toBe(true);
    expect(await isAnswered("/ACME/tools.GIT", both)).toBe(true);
    expect(await isAnswered("acme/tools", "git@github.com:/acme/tools.git")).toBe(true);
    expect(await isAnswered("acme/other.git", both)).toBe(false);
    expect(await isAnswered("other/site.git", both)).toBe(false);
    expect(await isAnswered("acme", both)).toBe(false);
    expect(await isAnswered("acme/*", both)).toBe(false);
    for (const path of [
      "acme/site/../docs.git",
      "acme//site",
      "acme/site//",
      "acme%2Fsite",
      "acme/%2e%2e/acme/site",
      "acme/./site",
      "acme/site%zz",
    ])
      for (const repositories of [both, ""])
        expect([path, await isAnswered(path, repositories)]).toEqual([path, false]);
    expect(await isAnswered("acme/site", "git@github.com:acme/site.git")).toBe(true);
    expect(await isAnswered("acme/tools", "acme/site tools")).toBe(true);
    expect(await isAnswered("other/tools", "acme/site tools")).toBe(false);
    expect(await isAnswered("acme/tools", "tools")).toBe(true);
    expect(await isAnswered("acme/other", "")).toBe(true);
  });

  test("a token env file that people wrote is read as the refresh script reads it", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const epoch = Math.floor(Date.now() / 1000) + 3000;
    const file = join(host.home, "my token.env");
    const env = { TOKEN_ENV_FILE: file, GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };
    const texts = [
      `export GITHUB_TOKEN="${exampleToken}"\r\nGITHUB_TOKEN_EXPIRES_EPOCH=${epoch}\r\n`,
      `\uFEFFGH_TOKEN='${exampleToken}'\n  GITHUB_TOKEN_EXPIRES_EPOCH = ${epoch} `,
      `# GITHUB_TOKEN=old\nGITHUB_TOKEN=ghs_older\nGITHUB_TOKEN=${exampleToken}\nGITHUB_TOKEN_EXPIRES_EPOCH=${epoch}`,
    ];
    for (const text of texts) {
      host.write(file, text);
      const { stdout } = await host.helper(["get"], { words, env, input: ask() });
      expect({ text, stdout }).toEqual({ text, stdout: answerOf(exampleToken, epoch) });
    }
    expect(fakeRuns(host)).toEqual([]);
  });

  test("a token file without the epoch is refreshed first; where that fails, its other expiry holds", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const file = join(host.home, "my token.env");
    const env = { TOKEN_ENV_FILE: file, GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };
    const getWith = async (minutes: number) => {
      const at = new Date(Date.now() + minutes * 60_000).toISOString();
      host.write(file, `GITHUB_TOKEN=${exampleToken}\nGITHUB_TOKEN_EXPIRES_AT=${at.slice(0, 19)}Z\n`);
      return host.helper(["get"], { words, env, input: ask() });
    };
    expect(await getWith(-20)).toMatchObject({ exitCode: 1, stdout: "" });
    expect(await getWith(20)).toMatchObject({
      exitCode: 0,
      stdout: `username=x-access-token\npassword=${exampleToken}\n\n`,
    });
    expect(fakeRuns(host)).toHaveLength(2);
  });
});

test("without an action the helper says how it is used, and exits 64", async () => {
  await using host = await createGitHost();

  const { exitCode, stdout, stderr } = await host.helper([]);

  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
  expect(stderr).toMatch(/^usage: git-credential-ghauth get\|store\|erase\|token\n/);
});

test("--help says how it is used on stdout, and asks nothing", async () => {
  await using host = await createGitHost();
  for (const option of ["--help", "-h"]) {
    const result = await host.helper([option]);
    expect(result).toEqual({
      ...silence,
      stdout: expect.stringMatching(/^usage: git-credential-ghauth get\|/),
    });
  }
});

test("TOKEN_ENV_FILE and GHAUTH_HOSTS may stand in github-app.env, and XDG_CONFIG_HOME moves both files", async () => {
  await using host = await createGitHost();
  const epoch = host.hold(exampleToken, 3000);
  host.write(join(host.home, "elsewhere.env"), host.read(host.paths.tokenEnvFile));
  const settings = join(host.home, "xdg config/takopi/github-app.env");
  host.write(settings, "TOKEN_ENV_FILE=~/elsewhere.env\nGHAUTH_HOSTS=git.example\n");

  const env = { XDG_CONFIG_HOME: join(host.home, "xdg config"), GHAUTH_REFRESH_SCRIPT: "/nonexistent" };
  const { stdout } = await host.helper(["get"], { env, input: ask("git.example") });

  expect(stdout).toBe(answerOf(exampleToken, epoch));
});
